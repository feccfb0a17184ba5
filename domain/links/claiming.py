"""A reserved link in the hands of one process: claim it, note that it is sent, record what Stripe answered.

The intent's stored request and idempotency key are what is sent, however often and by whichever of several processes.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.audit import Deed, Result
from domain.coordination.leases import Lease
from domain.database import CLOCK_MILLISECONDS, database_clock, database_now
from domain.exceptions.billing_changes import compare
from domain.invoices.list_position import place, standing_of
from domain.invoices.locking import lock_link
from domain.links.bulk_progress import settle_items
from domain.links.happened import note_created
from domain.links.known import ANY_TOLD, UNTIL, Known, list_told
from domain.models import Base, Invoice, Link, milliseconds
from domain.money import Money
from domain.reasons import BillingState
from domain.states import LinkState, LinkStatus, Outcome, Source
from domain.stripe.errors import StripeRefused
from domain.stripe.ledgers.current import CURRENT, CURRENT_HELD, is_current
from domain.summaries import PAYLINK, STRIPE

_LINKS = Base.metadata.tables[Link.__tablename__]
_INVOICES = Base.metadata.tables[Invoice.__tablename__]


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
    known: Known


class _Billed(NamedTuple):
    """What recording a link asks of its invoice."""

    id: int
    number: str
    number_key: str
    amount: int
    currency: str
    due_date: date | None
    billing_state: str


# The statements that every link takes are written once for all: making them takes as long as all that they do.
# Said in the statement itself, so that SQLite sees at once that the index of what is due will do.
_IS_RESERVED: sa.ColumnElement[str] = sa.literal_column(f"'{LinkState.RESERVED}'")
_DUE = (
    sa.select(_LINKS.c.id)
    .where(_LINKS.c.ledger_id == sa.bindparam("ledger"), _LINKS.c.state == _IS_RESERVED)
    .where(_LINKS.c.next_attempt_at <= sa.bindparam("now"))
    .where(sa.or_(_LINKS.c.lease_until.is_(None), _LINKS.c.lease_until < sa.bindparam("now")))
    .order_by(_LINKS.c.next_attempt_at, _LINKS.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    sa.update(_LINKS)
    .where(_LINKS.c.id.in_(_DUE))
    .values(owner=sa.bindparam("holder"), lease_until=sa.bindparam("until"))
    .returning(
        _LINKS.c.id.label("link_id"),
        _LINKS.c.organisation_id,
        _LINKS.c.ledger_id,
        _LINKS.c.reference,
        _LINKS.c.idempotency_key.label("key"),
        _LINKS.c.request,
        _LINKS.c.api_version,
        _LINKS.c.attempts,
        _LINKS.c.look_first,
        _LINKS.c.first_sent_at,
        _LINKS.c.last_sent_at,
        UNTIL.label("until"),
        ANY_TOLD.label("any_told"),
    )
)
_RESERVED = sa.and_(_LINKS.c.id == sa.bindparam("link"), _LINKS.c.state == LinkState.RESERVED)
_BEGIN = (
    sa.update(_LINKS)
    .where(_RESERVED, _LINKS.c.owner == sa.bindparam("holder"))
    .where(_LINKS.c.lease_until >= CLOCK_MILLISECONDS + sa.bindparam("enough", type_=sa.BigInteger))
    # Taken over by another account since? Then it isn't for this key to make.
    .where(_LINKS.c.idempotency_key == sa.bindparam("key"), _LINKS.c.ledger_id == sa.bindparam("ledger"))
    .where(CURRENT_HELD.exists())
    .values(
        first_sent_at=sa.func.coalesce(_LINKS.c.first_sent_at, database_clock()),
        last_sent_at=database_clock(),
        attempts=_LINKS.c.attempts + 1,
    )
    .returning(_LINKS.c.id)
)
_BILLED = (
    sa.select(*(_INVOICES.c[name] for name in _Billed._fields))
    .where(_INVOICES.c.id == sa.select(_LINKS.c.invoice_id).where(_RESERVED).scalar_subquery())
    .with_for_update(key_share=True)
)
_CREATED = (
    sa.update(_LINKS)
    .where(_RESERVED)
    .values(
        state=LinkState.CREATED,
        status=LinkStatus.PENDING_PAYMENT,
        stripe_id=sa.bindparam("made"),
        url=sa.bindparam("address"),
        created_at=sa.bindparam("made_at"),
        changed_at=sa.bindparam("now"),
        owner=None,
        lease_until=None,
    )
    .returning(_LINKS.c.organisation_id, _LINKS.c.ledger_id, _LINKS.c.amount, _LINKS.c.currency)
)
_PLACE = (
    sa.update(_INVOICES)
    .where(_INVOICES.c.id == sa.bindparam("invoice"), CURRENT.exists())
    .values(status=LinkStatus.PENDING_PAYMENT, position=sa.bindparam("place"), changed_at=database_clock())
    .returning(_INVOICES.c.id)
)


def claim_due(session: Session, ledger_id: int, limit: int, lease: Lease) -> list[Intent]:
    """Claim up to ``limit`` reserved links that are due and nobody's, the oldest first."""
    now = database_now(session)
    given = {
        "ledger": ledger_id,
        "limit": limit,
        "holder": lease.owner,
        "now": now,
        "until": now + lease.length,
    }
    intents = []
    for row in session.execute(_CLAIM, given).all():
        claimed = row._asdict()
        until, any_told = claimed.pop("until"), claimed.pop("any_told")
        known = Known(until, list_told(session, row.link_id) if any_told else [])
        intents.append(Intent(**claimed, claimed_at=now, known=known))
    return intents


def intent_of(link: Link, now: datetime, known: Known) -> Intent:
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
        known=known,
    )


def begin_sending(session: Session, intent: Intent, owner: str, until: timedelta) -> bool:
    """Note that the request goes out now; False if the claim is no longer ours or has less than ``until`` left, or if the
    organisation has another ledger by now, which may be of the same account."""
    given = {
        "link": intent.link_id,
        "organisation": intent.organisation_id,
        "ledger": intent.ledger_id,
        "holder": owner,
        "key": intent.key,
        "enough": milliseconds(until),
    }
    return session.scalar(_BEGIN, given) is not None


def record_created(
    session: Session, link_id: int, stripe_id: str, url: str, created_at: datetime, now: datetime
) -> bool:
    """Stripe made the link, by its own clock at ``created_at``. Whoever learns it first records it; False for whoever
    comes later. What the session holds of the link and its invoice is of before."""
    found = session.execute(_BILLED, {"link": link_id}).first()
    if found is None:
        return False
    invoice = _Billed(*found)
    given = {"link": link_id, "made": stripe_id, "address": url, "made_at": created_at, "now": now}
    link = session.execute(_CREATED, given).first()
    if link is None:
        return False
    asked = Money(link.amount, link.currency)
    whose = {"organisation": link.organisation_id, "ledger": link.ledger_id}
    _, position = standing_of(invoice, LinkState.CREATED, LinkStatus.PENDING_PAYMENT)
    placed = session.scalar(_PLACE, whose | {"invoice": invoice.id, "place": position}) is not None
    note_created(session, link_id, link.organisation_id, link.ledger_id, invoice.number, url, asked)
    audit.record(
        session,
        Deed.LINK_CREATED,
        stripe_id,
        by=PAYLINK,
        now=now,
        organisation_id=link.organisation_id,
        invoice=invoice,
        after=str(asked),
    )
    differs = asked != Money(invoice.amount, invoice.currency) or invoice.billing_state != BillingState.OPEN
    if placed and differs:
        # An import leaves a reserved link alone: Stripe may refuse it yet.
        made = session.get_one(Link, link_id, populate_existing=True)
        compare(session, made, session.get_one(Invoice, invoice.id, populate_existing=True), now)
    settle_items(session, link_id, Outcome.CREATED, None, now)
    return True


def record_refused(session: Session, intent: Intent, owner: str, why: StripeRefused, now: datetime) -> bool:
    """Stripe won't make this link: the invoice may be tried again, with a new request and key."""
    link = _lock_reserved(session, intent.link_id)
    if link is None or link.owner != owner or link.idempotency_key != intent.key:
        return False
    link.state, link.refusal, link.changed_at = LinkState.REFUSED, why.said[:500], now
    link.refusal_code, link.owner, link.lease_until = why.code, None, None
    _place(session, link)
    audit.record(
        session,
        Deed.LINK_REFUSED,
        by=STRIPE,
        source=Source.PAYLINK,
        now=now,
        organisation_id=link.organisation_id,
        invoice=session.get_one(Invoice, link.invoice_id),
        result=Result.REFUSED,
    )
    settle_items(session, link.id, Outcome.FAILED, link.refusal, now)
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


def _place(session: Session, link: Link) -> None:
    """Its invoice, which the caller has locked, if the link is current."""
    if is_current(session, link.organisation_id, link.ledger_id):
        place(session.get_one(Invoice, link.invoice_id, populate_existing=True), link)
