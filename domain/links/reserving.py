"""An online payment link's transactions: reserve the intent, claim it, record what Stripe answered.

The database refuses a second link of an invoice in a ledger; the intent's stored request and idempotency key are
what is sent, however often and by whichever of several processes.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.coordination.leases import Lease
from domain.database import database_now
from domain.errors import AmountChanged, LedgerChanged, NotEligible
from domain.invoices.eligibility import ineligible_because
from domain.invoices.list_position import existing_reason, place, standing_of
from domain.links.bulk_progress import settle_items
from domain.models import Base, Instant, Invoice, Ledger, Link, Organisation
from domain.money import Money
from domain.reasons import Reason
from domain.scope import Scope
from domain.states import LinkState, LinkStatus, Outcome
from domain.stripe.client import API_VERSION
from domain.stripe.link_request import payment_link_request
from domain.summaries import Actor

_LINKS = Base.metadata.tables[Link.__tablename__]
_INVOICES = Base.metadata.tables[Invoice.__tablename__]


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


def reserve(
    session: Session,
    scope: Scope,
    invoices: Sequence[Invoice],
    organisation: Organisation,
    existing: Mapping[int, Link],
    *,
    by: Actor,
    now: datetime,
    clock: datetime,
    lease: Lease | None = None,
) -> dict[int, int | Reason]:
    """Commit to asking Stripe for these invoices' links, with the amounts that the invoices have now.

    The id of each invoice's link, or why it can't have one. ``existing`` is what there is of them in this ledger, by
    invoice. The caller holds the invoices' row locks. ``clock`` is the database's. With a ``lease`` whoever
    holds it will send them at once. In statements over all of them, which a hundred objects of the ORM take many times as long as.
    """
    outcomes: dict[int, int | Reason] = {}
    fresh: list[dict[str, Any]] = []
    again: list[dict[str, Any]] = []
    placed: list[dict[str, Any]] = []
    for invoice in invoices:
        link = existing.get(invoice.id)
        money = Money(invoice.amount, invoice.currency)
        reason = ineligible_because(
            money, existing_reason(link), invoice.billing_state, add_on=organisation.add_on
        )
        if reason is not None:
            outcomes[invoice.id] = reason
            continue
        reference = uuid.uuid4().hex if link is None else link.reference
        intent = {
            "amount": money.amount,
            "currency": money.currency,
            "idempotency_key": f"paylink-{uuid.uuid4()}",
            "request": json.dumps(_request(invoice, organisation, reference), ensure_ascii=False),
        }
        if link is None:
            fresh.append({"invoice_id": invoice.id, "reference": reference, **intent})
        else:
            outcomes[invoice.id] = link.id
            again.append({"link_id": link.id, **intent})
        status, place = standing_of(invoice, LinkState.RESERVED, LinkStatus.NOT_CREATED)
        placed.append({"placed_id": invoice.id, "status": status, "position": place})
    common = {
        "organisation_id": organisation.id,
        "ledger_id": scope.ledger_id,
        "state": LinkState.RESERVED,
        "status": LinkStatus.NOT_CREATED,
        "refusal": None,
        "api_version": API_VERSION,
        "requested_by": by.user_id,
        "reserved_at": now,
        "changed_at": now,
        "attempts": 0,
        "look_first": False,
        "first_sent_at": None,
        "last_sent_at": None,
        "next_attempt_at": clock,
        "owner": lease and lease.owner,
        "lease_until": lease and clock + lease.length,
    }
    if fresh:
        session.execute(sa.insert(_LINKS), [common | each for each in fresh])
        # Asked for afterwards: with RETURNING it is one statement of 2,000 parameters, whose making takes longer.
        made = sa.select(_LINKS.c.invoice_id, _LINKS.c.id).where(
            _LINKS.c.ledger_id == scope.ledger_id,
            _LINKS.c.invoice_id.in_([each["invoice_id"] for each in fresh]),
        )
        outcomes.update((row[0], row[1]) for row in session.execute(made))
    if again:
        renewed = sa.update(_LINKS).where(_LINKS.c.id == sa.bindparam("link_id"))
        session.execute(renewed, [common | each for each in again])
    if placed:
        session.execute(sa.update(_INVOICES).where(_INVOICES.c.id == sa.bindparam("placed_id")), placed)
        audit.record_all(
            session,
            "link.reserve",
            [f"invoice {one['placed_id']}" for one in placed],
            actor=by.user_id,
            now=now,
            organisation_id=organisation.id,
        )
    return outcomes


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


def find_link(session: Session, scope: Scope, invoice_id: int) -> Link | None:
    return session.scalar(
        sa.select(Link).where(Link.invoice_id == invoice_id, Link.ledger_id == scope.ledger_id)
    )


def require_current(session: Session, scope: Scope) -> None:
    """Raises LedgerChanged when another process has put the database under another account or mode."""
    if not session.scalar(sa.select(Ledger.current).where(Ledger.id == scope.ledger_id)):
        raise LedgerChanged


def reserve_one(
    session: Session,
    scope: Scope,
    actor: Actor,
    invoice: Invoice,
    organisation: Organisation,
    seen: Money,
    lease: Lease,
    now: datetime,
) -> Intent:
    """Reserve one invoice's link for the person who looked at ``seen``. Raises NotEligible, AmountChanged."""
    require_current(session, scope)
    money = Money(invoice.amount, invoice.currency)
    link = find_link(session, scope, invoice.id)
    if money != seen and existing_reason(link) is None:
        raise AmountChanged(invoice.number, seen, money)
    clock = database_now(session)
    existing = {} if link is None else {invoice.id: link}
    reserved = reserve(
        session, scope, [invoice], organisation, existing, clock=clock, by=actor, now=now, lease=lease
    )
    outcome = reserved[invoice.id]
    if isinstance(outcome, Reason):
        raise NotEligible(invoice.number, outcome)
    return _intent(session.get_one(Link, outcome, populate_existing=True), clock)


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
            .where(Link.id == intent.link_id, Link.state == LinkState.RESERVED, Link.owner == owner)
            .where(Link.lease_until >= now + until, Link.idempotency_key == intent.key)
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
    _place(session, link)
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
    return session.scalar(
        sa.select(Link).where(Link.id == link_id, Link.state == LinkState.RESERVED).with_for_update()
    )


def _place(session: Session, link: Link) -> None:
    if session.scalar(sa.select(Ledger.current).where(Ledger.id == link.ledger_id)):
        # Locked before it is read: an import that is about to commit changes what the position is made of.
        place(session.get_one(Invoice, link.invoice_id, with_for_update=True), link)
