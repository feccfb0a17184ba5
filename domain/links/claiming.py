"""A reserved link in the hands of one process: claim it, note that it is sent, record what Stripe answered.

The intent's stored request and idempotency key are what is sent, however often and by whichever of several processes.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import database_now
from domain.exceptions.billing_changes import compare
from domain.invoices.list_position import place
from domain.invoices.locking import lock_link
from domain.links.bulk_progress import settle_items
from domain.links.happened import note_created
from domain.models import Instant, Invoice, Link
from domain.states import LinkState, LinkStatus, Outcome
from domain.stripe.ledgers import is_current


@dataclass(frozen=True)
class Intent:
    """A reserved link, claimed by this process: what to send to Stripe."""

    link_id: int
    organisation_id: int
    ledger_id: int
    reference: str
    key: str
    request: str
    api_version: str
    attempts: int
    look_first: bool
    """Find out whether an earlier request made the link before sending a new one."""
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    claimed_at: datetime


def claim_due(session: Session, ledger_id: int, limit: int, lease: Lease) -> list[Intent]:
    """Claim up to ``limit`` reserved links that are due and nobody's, the oldest first."""
    now = database_now(session)
    due = (
        sa.select(Link.id)
        .where(Link.ledger_id == ledger_id, Link.state == LinkState.RESERVED, Link.next_attempt_at <= now)
        .where(sa.or_(Link.lease_until.is_(None), Link.lease_until < now))
        .order_by(Link.next_attempt_at, Link.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = session.scalars(
        sa.update(Link)
        .where(Link.id.in_(due))
        .values(owner=lease.owner, lease_until=now + lease.length)
        .returning(Link)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return [intent_of(link, now) for link in claimed]


def intent_of(link: Link, now: datetime) -> Intent:
    return Intent(
        link_id=link.id,
        organisation_id=link.organisation_id,
        ledger_id=link.ledger_id,
        reference=link.reference,
        key=link.idempotency_key,
        request=link.request,
        api_version=link.api_version,
        attempts=link.attempts,
        look_first=link.look_first,
        first_sent_at=link.first_sent_at,
        last_sent_at=link.last_sent_at,
        claimed_at=now,
    )


def begin_sending(session: Session, intent: Intent, owner: str, until: timedelta) -> bool:
    """Note that the request goes out now; False if the claim is no longer ours or has less than ``until`` left, or if the
    organisation has another ledger by now, which may be of the same account."""
    if not is_current(session, intent.organisation_id, intent.ledger_id, hold=True):
        return False
    now = database_now(session)
    first = sa.func.coalesce(Link.first_sent_at, sa.literal(now, Instant))
    return (
        session.execute(
            sa.update(Link)
            .where(Link.id == intent.link_id, Link.state == LinkState.RESERVED, Link.owner == owner)
            .where(Link.lease_until >= now + until, Link.idempotency_key == intent.key)
            # Taken over by another account since? Then it isn't for this key to make.
            .where(Link.ledger_id == intent.ledger_id)
            .values(first_sent_at=first, last_sent_at=now, attempts=Link.attempts + 1)
            .returning(Link.id)
        ).scalar_one_or_none()
        is not None
    )


def record_created(
    session: Session, link_id: int, stripe_id: str, url: str, created_at: datetime, now: datetime
) -> bool:
    """Stripe made the link, by its own clock at ``created_at``. Whoever learns it first records it; False for whoever
    comes later."""
    link = _lock_reserved(session, link_id)
    if link is None:
        return False
    link.state, link.status = LinkState.CREATED, LinkStatus.PENDING_PAYMENT
    link.stripe_id, link.url, link.created_at, link.changed_at = stripe_id, url, created_at, now
    link.owner = link.lease_until = None
    invoice = _place(session, link)
    note_created(session, link)
    if invoice is not None:
        # An import leaves a reserved link alone: Stripe may refuse it yet.
        compare(session, link, invoice, now)
    settle_items(session, link.id, Outcome.CREATED, None, now)
    return True


def record_refused(session: Session, intent: Intent, owner: str, refusal: str, now: datetime) -> bool:
    """Stripe won't make this link: the invoice may be tried again, with a new request and key."""
    link = _lock_reserved(session, intent.link_id)
    if link is None or link.owner != owner or link.idempotency_key != intent.key:
        return False
    link.state, link.refusal, link.changed_at = LinkState.REFUSED, refusal[:500], now
    link.owner = link.lease_until = None
    _place(session, link)
    settle_items(session, link.id, Outcome.FAILED, refusal[:500], now)
    return True


def postpone(
    session: Session, intent: Intent, owner: str, delay: timedelta, *, look_first: bool = False
) -> None:
    """Give the claim back, due again after ``delay``; ``look_first`` sticks until a new key is taken."""
    now = database_now(session)
    values: dict[str, object] = {"owner": None, "lease_until": None, "next_attempt_at": now + delay}
    if look_first:
        values["look_first"] = True
    session.execute(
        sa.update(Link)
        .where(Link.id == intent.link_id, Link.state == LinkState.RESERVED, Link.owner == owner)
        .values(**values)
    )


def renew_key(session: Session, intent: Intent, owner: str) -> bool:
    """The old key's request made nothing and can't any more: start over with a new key."""
    return (
        session.execute(
            sa.update(Link)
            .where(Link.id == intent.link_id, Link.state == LinkState.RESERVED, Link.owner == owner)
            .where(Link.idempotency_key == intent.key)
            # Sent once more since this claim looked? Then what it saw is out of date.
            .where(Link.last_sent_at.is_not_distinct_from(intent.last_sent_at))
            .values(
                idempotency_key=f"paylink-{uuid.uuid4()}",
                look_first=False,
                first_sent_at=None,
                last_sent_at=None,
                attempts=0,
                owner=None,
                lease_until=None,
                next_attempt_at=database_now(session),
            )
            .returning(Link.id)
        ).scalar_one_or_none()
        is not None
    )


def _lock_reserved(session: Session, link_id: int) -> Link | None:
    return lock_link(session, Link.id == link_id, Link.state == LinkState.RESERVED)


def _place(session: Session, link: Link) -> Invoice | None:
    """The link's invoice, which the caller has locked, if the link is current."""
    if not is_current(session, link.organisation_id, link.ledger_id):
        return None
    invoice = session.get_one(Invoice, link.invoice_id, populate_existing=True)
    place(invoice, link)
    return invoice
