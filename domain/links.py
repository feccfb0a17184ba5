"""An online payment link's transactions: reserve the intent, claim it, record what Stripe answered.

The database refuses a second link of an invoice in a ledger; the intent's stored request and idempotency key are
what is sent, however often and by whichever of several processes.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.bulk_progress import settle_items
from domain.database import database_now
from domain.eligibility import Reason, ineligible_because
from domain.errors import AmountChanged, LedgerChanged, NotEligible
from domain.models import Instant, Invoice, Ledger, Link, Organisation
from domain.money import Money
from domain.standing import place
from domain.stripe_api import API_VERSION, payment_link_request
from domain.summaries import Actor, LinkStatus, Outcome


@dataclass(frozen=True)
class Terms:
    """Under what a link is reserved: which ledger's it is, and who claims for how long."""

    ledger_id: int
    owner: str
    lease: timedelta


@dataclass(frozen=True)
class Intent:
    """A reserved link, claimed by this process: what to send to Stripe."""

    link_id: int
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


def existing_reason(link: Link | None) -> Reason | None:
    """What an existing link says about creating one."""
    if link is None or link.state == "refused":
        return None
    if link.state == "reserved":
        return Reason.BEING_CREATED
    return Reason.PAID if link.status == LinkStatus.PAID else Reason.PENDING_PAYMENT


def reserve(
    session: Session,
    invoice: Invoice,
    organisation: Organisation,
    terms: Terms,
    link: Link | None,
    *,
    by: Actor,
    now: datetime,
    clock: datetime,
    claim: bool,
) -> Link:
    """Commit to asking Stripe for this invoice's link, with the amount that the invoice has now.

    ``link`` is what there is of it in this ledger. Raises NotEligible. The caller holds the invoice's row lock, and
    flushes. ``clock`` is the database's. ``claim``: this process will send it at once.
    """
    money = Money(invoice.amount, invoice.currency)
    reason = ineligible_because(money, existing_reason(link), add_on=organisation.add_on)
    if reason is not None:
        raise NotEligible(invoice.number, reason)
    if link is None:
        link = Link(
            organisation_id=organisation.id,
            invoice_id=invoice.id,
            ledger_id=terms.ledger_id,
            reference=uuid.uuid4().hex,
            attempts=0,
        )
        session.add(link)
    link.state, link.status, link.refusal = "reserved", LinkStatus.NOT_CREATED.value, None
    link.amount, link.currency = money.amount, money.currency
    link.idempotency_key, link.api_version = f"paylink-{uuid.uuid4()}", API_VERSION
    link.request = json.dumps(_request(invoice, organisation, link.reference), ensure_ascii=False)
    link.requested_by, link.reserved_at, link.changed_at = by.user_id, now, now
    link.attempts, link.look_first = 0, False
    link.first_sent_at = link.last_sent_at = None
    link.next_attempt_at = clock
    link.owner = terms.owner if claim else None
    link.lease_until = clock + terms.lease if claim else None
    place(invoice, link)
    audit.record(
        session,
        "link.reserve",
        f"invoice {invoice.id}",
        actor=by.user_id,
        now=now,
        organisation_id=organisation.id,
    )
    return link


def _request(invoice: Invoice, organisation: Organisation, reference: str) -> dict[str, object]:
    return payment_link_request(
        amount=invoice.amount,
        currency=invoice.currency,
        name=f"Invoice {invoice.number}",
        metadata={
            "invoice_number": invoice.number,
            "organization": organisation.team_id,
            "paylink_reference": reference,
        },
        inactive_message=f"Invoice {invoice.number} has already been paid. Thank you.",
    )


def find_link(session: Session, invoice_id: int, ledger_id: int) -> Link | None:
    return session.scalar(sa.select(Link).where(Link.invoice_id == invoice_id, Link.ledger_id == ledger_id))


def require_current(session: Session, ledger_id: int) -> None:
    """Raises LedgerChanged when another process has put the database under another account or mode."""
    if not session.scalar(sa.select(Ledger.current).where(Ledger.id == ledger_id)):
        raise LedgerChanged


def reserve_one(
    session: Session,
    actor: Actor,
    invoice: Invoice,
    organisation: Organisation,
    seen: Money,
    terms: Terms,
    now: datetime,
) -> Intent:
    """Reserve one invoice's link for the person who looked at ``seen``. Raises NotEligible, AmountChanged."""
    require_current(session, terms.ledger_id)
    money = Money(invoice.amount, invoice.currency)
    link = find_link(session, invoice.id, terms.ledger_id)
    if money != seen and existing_reason(link) is None:
        raise AmountChanged(invoice.number, seen, money)
    clock = database_now(session)
    link = reserve(session, invoice, organisation, terms, link, clock=clock, by=actor, now=now, claim=True)
    session.flush()
    return _intent(link, clock)


def claim_due(session: Session, terms: Terms, limit: int) -> list[Intent]:
    """Claim up to ``limit`` reserved links that are due and nobody's, the oldest first."""
    now = database_now(session)
    due = (
        sa.select(Link.id)
        .where(Link.ledger_id == terms.ledger_id, Link.state == "reserved", Link.next_attempt_at <= now)
        .where(sa.or_(Link.lease_until.is_(None), Link.lease_until < now))
        .order_by(Link.next_attempt_at, Link.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = session.scalars(
        sa.update(Link)
        .where(Link.id.in_(due))
        .values(owner=terms.owner, lease_until=now + terms.lease)
        .returning(Link)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return [_intent(link, now) for link in claimed]


def _intent(link: Link, now: datetime) -> Intent:
    return Intent(
        link_id=link.id,
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
    """Note that the request goes out now; False if the claim is no longer ours or has less than ``until`` left."""
    now = database_now(session)
    first = sa.func.coalesce(Link.first_sent_at, sa.literal(now, Instant))
    return (
        session.execute(
            sa.update(Link)
            .where(Link.id == intent.link_id, Link.state == "reserved", Link.owner == owner)
            .where(Link.lease_until >= now + until, Link.idempotency_key == intent.key)
            .values(first_sent_at=first, last_sent_at=now, attempts=Link.attempts + 1)
            .returning(Link.id)
        ).scalar_one_or_none()
        is not None
    )


def record_created(session: Session, link_id: int, stripe_id: str, url: str, now: datetime) -> bool:
    """Stripe made the link. Whoever learns it first records it; False for whoever comes later."""
    link = _lock_reserved(session, link_id)
    if link is None:
        return False
    link.state, link.status = "created", LinkStatus.PENDING_PAYMENT.value
    link.stripe_id, link.url, link.created_at, link.changed_at = stripe_id, url, now, now
    link.owner = link.lease_until = None
    _place(session, link)
    settle_items(session, link.id, Outcome.CREATED, None, now)
    return True


def record_refused(session: Session, intent: Intent, owner: str, refusal: str, now: datetime) -> bool:
    """Stripe won't make this link: the invoice may be tried again, with a new request and key."""
    link = _lock_reserved(session, intent.link_id)
    if link is None or link.owner != owner or link.idempotency_key != intent.key:
        return False
    link.state, link.refusal, link.changed_at = "refused", refusal[:500], now
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
        .where(Link.id == intent.link_id, Link.state == "reserved", Link.owner == owner)
        .values(**values)
    )


def renew_key(session: Session, intent: Intent, owner: str) -> bool:
    """The old key's request made nothing and can't any more: start over with a new key."""
    return (
        session.execute(
            sa.update(Link)
            .where(Link.id == intent.link_id, Link.state == "reserved", Link.owner == owner)
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
    return session.scalar(
        sa.select(Link).where(Link.id == link_id, Link.state == "reserved").with_for_update()
    )


def _place(session: Session, link: Link) -> None:
    if session.scalar(sa.select(Ledger.current).where(Ledger.id == link.ledger_id)):
        # Locked before it is read: an import that is about to commit changes what the position is made of.
        place(session.get_one(Invoice, link.invoice_id, with_for_update=True), link)
