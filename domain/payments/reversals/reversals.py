"""Refunds and disputes of one payment: what Stripe says of them, and which badges come of that.

Pure: values in, values out. A refund counts while it has succeeded, so one that fails later gives its badge back; a
dispute counts until it ends, and for good if it is lost (docs/facts/stripe.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.money import Money
from domain.payments.event_reading import STATUS_LENGTH
from domain.payments.recording import currency_of
from domain.states import Badge
from domain.stripe.client import amount_of, id_of, moment


class ReversalKind(StrEnum):
    REFUND = "refund"
    DISPUTE = "dispute"


REFUNDED = "succeeded"
REFUND_ENDED = frozenset({"failed", "canceled"})
INQUIRY = frozenset({"warning_needs_response", "warning_under_review"})
STILL_DISPUTED = INQUIRY | {"needs_response", "under_review"}
LOST = "lost"
APPEALED = frozenset({"appeal_needs_response", "appeal_under_review"})
# Nothing is disputed any more.
SETTLED = frozenset({"won", "warning_closed", "prevented"})
ANSWER_DUE = frozenset({"warning_needs_response", "needs_response", "appeal_needs_response"})
_ENDS = SETTLED | APPEALED | {LOST}
_LAST = 5
"""The stage of ends and of appeals against them, and of any status that Stripe may add: none is before another."""

# How far along each is. An inquiry may become a dispute; nothing else goes back.
_STAGES = {
    ReversalKind.REFUND: {"pending": 0, "requires_action": 0, REFUNDED: 1, "failed": 2, "canceled": 2},
    ReversalKind.DISPUTE: {
        "warning_needs_response": 0,
        "warning_under_review": 1,
        "warning_closed": 2,
        "needs_response": 3,
        "under_review": 4,
    },
}


@dataclass(frozen=True)
class ReversalFacts:
    """What Stripe's refund or dispute says. ``amount`` in the currency's smallest unit; ``status`` is Stripe's word."""

    stripe_id: str
    kind: ReversalKind
    payment_intent: str
    status: str
    money: Money
    reason: str
    created_at: datetime
    charge: str | None = None
    due_by: datetime | None = None
    submitted: bool = False


def read_reversal(kind: ReversalKind, found: dict[str, Any]) -> ReversalFacts:
    """Read Stripe's object. Raises ValueError or KeyError for what can't be recorded."""
    stripe_id, payment_intent = id_of(found.get("id")), id_of(found.get("payment_intent"))
    if stripe_id is None or payment_intent is None:
        raise ValueError("id")
    status, reason = id_of(found.get("status")), found.get("reason")
    if status is None or len(status) > STATUS_LENGTH:
        raise ValueError("status")
    if kind is ReversalKind.REFUND and status in REFUND_ENDED:
        # Not why it was wanted.
        reason = found.get("failure_reason") or ("merchant_request" if status == "canceled" else None)
    return ReversalFacts(
        stripe_id=stripe_id,
        kind=kind,
        payment_intent=payment_intent,
        status=status,
        money=Money(amount_of(found.get("amount")), currency_of(found)),
        # A code of Stripe's, which looks like an id; anything else isn't repeated to anybody.
        reason=id_of(reason) or "",
        created_at=moment(found["created"]),
        charge=id_of(found.get("charge")),
        due_by=_due_by(found) if status in ANSWER_DUE else None,
        submitted=_submitted(found),
    )


def _due_by(dispute: dict[str, Any]) -> datetime | None:
    details = dispute.get("evidence_details")
    due = details.get("due_by") if isinstance(details, dict) else None
    # 0 says that the bank takes no answer (docs.stripe.com/api/disputes/object).
    return None if due is None or due == 0 else moment(due)


def _submitted(found: dict[str, Any]) -> bool:
    details = found.get("evidence_details")
    count = details.get("submission_count") if isinstance(details, dict) else None
    return isinstance(count, int) and count > 0


def goes_back(kind: ReversalKind, known: str, told: str) -> bool:
    """Whether ``told`` is earlier than the status that is known: perhaps an answer that was read too soon."""
    stages = _STAGES[kind]
    return stages.get(told, _LAST) < stages.get(known, _LAST)


def is_before(kind: ReversalKind, shown: str, told: str) -> bool | None:
    """Whether what Stripe shows is from before what its event ``told``; None where nobody can say which was first."""
    if shown == told or (told not in _STAGES[kind] and told not in _ENDS):
        return False
    if goes_back(kind, told, shown):
        return True
    return False if goes_back(kind, shown, told) else None


def refunded_in_all(paid: Money, reversals: Iterable[tuple[ReversalKind, str, Money]]) -> Money:
    """What of a payment was given back, by refunds that succeeded."""
    back = sum(
        money.amount
        for kind, status, money in reversals
        if kind is ReversalKind.REFUND and status == REFUNDED and money.currency == paid.currency
    )
    return Money(back, paid.currency)


def badges_of(paid: Money, reversals: Iterable[tuple[ReversalKind, str, Money]]) -> frozenset[Badge]:
    """The badges that the refunds and disputes of a payment give it."""
    known = list(reversals)
    back = refunded_in_all(paid, known).amount
    badges: set[Badge] = set()
    if back > 0:
        badges.add(Badge.REFUNDED if back >= paid.amount else Badge.PARTLY_REFUNDED)
    disputes = {status for kind, status, _ in known if kind is ReversalKind.DISPUTE}
    if disputes - INQUIRY - SETTLED - {LOST}:
        badges.add(Badge.DISPUTED)
    if disputes & INQUIRY:
        badges.add(Badge.INQUIRY)
    if LOST in disputes:
        badges.add(Badge.DISPUTE_LOST)
    return frozenset(badges)
