"""Reading Stripe's events of both kinds: snapshots, which hold an object, and thin ones, which only name it.

Only ids are taken from an event, since it is rendered in the account's API version and may come late, twice and out
of order; what it is about is fetched (docs/facts/stripe.md, seeing a payment).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.states import Source
from domain.stripe.client import id_of, moment

SUCCEEDED_TYPE = "checkout.session.async_payment_succeeded"
SESSION_TYPES = ("checkout.session.completed", SUCCEEDED_TYPE)
CHARGE_TYPE = "charge.refunded"
REFUND_FAILED_TYPE = "refund.failed"
REFUND_TYPES = ("refund.created", "refund.updated", REFUND_FAILED_TYPE, "charge.refund.updated")
DISPUTE_CLOSED_TYPE = "charge.dispute.closed"
DISPUTE_TYPES = ("charge.dispute.created", "charge.dispute.updated", DISPUTE_CLOSED_TYPE)
UPDATED_TYPES = ("refund.updated", "charge.refund.updated", "charge.dispute.updated")
REVERSAL_TYPES = (CHARGE_TYPE, *REFUND_TYPES, *DISPUTE_TYPES)
LINK_CREATED_TYPE = "payment_link.created"
LINK_TYPES = (LINK_CREATED_TYPE, "payment_link.updated")
TYPES = (*SESSION_TYPES, *REVERSAL_TYPES, *LINK_TYPES)

# Stripe's words for how a refund or dispute stands are shorter.
STATUS_LENGTH = 40

THIN_OBJECT = "v2.core.event"
# Before the type of a thin event that there is as a snapshot too.
THIN_PREFIX = "v1."


@dataclass(frozen=True)
class Received:
    """What is kept of an event. ``id`` is the snapshot's where there is one of both kinds, which makes them one."""

    id: str
    type: str
    object_id: str
    payment_intent: str | None
    created_at: datetime
    stripe_link_id: str | None = None
    reference: str | None = None
    team_id: str | None = None
    """Of the organisation that its metadata names."""
    attempts: int = 0
    """How often it was claimed; once it waits for something, how often Stripe has answered."""
    waits_for: str | None = None
    """What Stripe didn't show when it was last asked: a code of waits.Wait."""
    status: str | None = None
    """Of the refund or dispute, as the event tells it: what Stripe shows may be older."""
    delivered: bool | None = None
    """By the webhook, before a poll found it; None where nobody noted that."""
    thin: bool = False
    """It tells no more than what it is about: whether that is ours shows when it is fetched."""
    account: str | None = None
    """Whose it is, where Stripe says so: of events of connected accounts, which a platform may be told of as well."""
    turn: float | None = None
    """Seconds until its turn to ask Stripe, if it was taken with the claim."""

    @property
    def source(self) -> Source:
        if self.delivered is None:
            return Source.STRIPE_EVENT
        return Source.STRIPE_WEBHOOK if self.delivered else Source.STRIPE_POLL

    @property
    def answers(self) -> int:
        """How often Stripe has answered about it, with the answer that is at hand now."""
        return self.attempts + 1 if self.waits_for is not None else 1


def type_of(event: dict[str, Any]) -> str:
    """The event's type as snapshots name it; empty for what isn't an event."""
    told = event.get("type")
    if not isinstance(told, str):
        return ""
    return told.removeprefix(THIN_PREFIX) if event.get("object") == THIN_OBJECT else told


def is_nobodys(event: dict[str, Any], *, livemode: bool) -> bool:
    """Of an event that isn't read: whether others of its type would be. A thin one of this mode always should have been."""
    thin = event.get("object") == THIN_OBJECT and event.get("livemode") is livemode
    return type_of(event) in TYPES and not thin


def read_event(event: dict[str, Any], *, livemode: bool) -> Received | None:
    """Read an event of either kind; None if it is of no type that concerns us, of the other mode, or no event at all."""
    if type_of(event) not in TYPES or event.get("livemode") is not livemode:
        return None
    try:
        return _read_thin(event) if event.get("object") == THIN_OBJECT else _read_snapshot(event)
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def _read_snapshot(event: dict[str, Any]) -> Received | None:
    data = event.get("data")
    about = data.get("object") if isinstance(data, dict) else None
    if not isinstance(about, dict):
        return None
    metadata = about.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return Received(
        id=_required(event.get("id")),
        type=type_of(event),
        object_id=_required(about.get("id")),
        payment_intent=id_of(about.get("payment_intent")),
        created_at=moment(event["created"]),
        stripe_link_id=id_of(about.get("id" if type_of(event) in LINK_TYPES else "payment_link")),
        # Our own ones look like ids; PostgreSQL refuses to look for text with a NUL.
        reference=id_of(metadata.get("paylink_reference")),
        team_id=id_of(metadata.get("organization")),
        status=_status_of(about) if type_of(event) in (*REFUND_TYPES, *DISPUTE_TYPES) else None,
        account=id_of(event.get("account")),
    )


def _read_thin(event: dict[str, Any]) -> Received:
    related, created = event.get("related_object"), event.get("created")
    told_at = datetime.fromisoformat(created) if isinstance(created, str) else None
    if told_at is None or told_at.tzinfo is None:
        raise ValueError("no Stripe time")
    return Received(
        id=id_of(event.get("snapshot_event")) or _required(event.get("id")),
        type=type_of(event),
        object_id=_required(related.get("id") if isinstance(related, dict) else None),
        payment_intent=None,
        # As a snapshot tells it, to the second.
        created_at=told_at.replace(microsecond=0),
        account=id_of(event.get("context")),
        thin=True,
    )


def _status_of(about: dict[str, Any]) -> str | None:
    status = id_of(about.get("status"))
    return status if status is not None and len(status) <= STATUS_LENGTH else None


def _required(value: object) -> str:
    """Raises ValueError for what is no id."""
    found = id_of(value)
    if found is None:
        raise ValueError("no id")
    return found
