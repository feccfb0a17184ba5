"""Stripe's events that concern us: kept when they are received, however often, and settled one by one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import database_now, insert_into
from domain.models import Base, Ledger, Link, Organisation, StripeEvent
from domain.payments.event_reading import Received
from domain.payments.stripe_links.ours import those_of_ours
from domain.states import LinkState, LinkStatus

WATCHED_AFTER_PAYMENT = timedelta(days=3)

_EVENTS = Base.metadata.tables[StripeEvent.__tablename__]
_LEDGER: sa.BindParameter[int] = sa.bindparam("ledger")

_NOW = sa.bindparam("now", type_=_EVENTS.c.settled_at.type)
_DUE = (
    sa.select(_EVENTS.c.id)
    .where(_EVENTS.c.ledger_id == _LEDGER, _EVENTS.c.settled_at.is_(None))
    .where(_EVENTS.c.next_attempt_at <= _NOW)
    .where(sa.or_(_EVENTS.c.lease_until.is_(None), _EVENTS.c.lease_until < _NOW))
    .order_by(_EVENTS.c.next_attempt_at, _EVENTS.c.created_at)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    sa.update(_EVENTS)
    .where(_EVENTS.c.ledger_id == _LEDGER, _EVENTS.c.id.in_(_DUE))
    .values(
        owner=sa.bindparam("claimant"),
        lease_until=sa.bindparam("until"),
        # Once it waits, only answers count: a claim may end without one.
        attempts=_EVENTS.c.attempts + sa.case((_EVENTS.c.waits_for.is_(None), 1), else_=0),
    )
    .returning(
        _EVENTS.c.id,
        _EVENTS.c.type,
        _EVENTS.c.object_id,
        _EVENTS.c.payment_intent,
        _EVENTS.c.created_at,
        _EVENTS.c.attempts,
        _EVENTS.c.waits_for,
        _EVENTS.c.status,
        _EVENTS.c.delivered,
        _EVENTS.c.next_attempt_at,
    )
)
_SETTLE = (
    sa.update(_EVENTS)
    .where(_EVENTS.c.ledger_id == _LEDGER, _EVENTS.c.id == sa.bindparam("event"))
    .where(_EVENTS.c.settled_at.is_(None))
    .values(settled_at=_NOW, owner=None, lease_until=None)
)


class Receipt(StrEnum):
    """What becomes of an event that Stripe delivers."""

    KEPT = "kept"
    KNOWN = "known already"
    NOT_OURS = "not ours"
    NOT_USED = "not used"
    OTHER_MODE = "other mode"


def keep(session: Session, ledger_id: int, events: list[Received]) -> int:
    """Keep those that are ours and not kept yet, due at once, the last first: Stripe lists the newest first, and tells times to
    the second. Return how many."""
    return len(_keep(session, ledger_id, events, delivered=False))


def keep_delivered(session: Session, ledger_id: int, events: list[Received]) -> list[Receipt]:
    """What becomes of each of those that Stripe delivers, in the order in which they came: kept, if it is ours, due at once."""
    kept = _keep(session, ledger_id, events[::-1], delivered=True)
    others = {event.id for event in events} - kept
    of_ledger = sa.select(StripeEvent.id).where(StripeEvent.ledger_id == ledger_id)
    known = set(session.scalars(of_ledger.where(StripeEvent.id.in_(others)))) if others else set()
    receipts = []
    for event in events:
        # Delivered twice at once, the second is known.
        receipts.append(
            Receipt.KEPT if event.id in kept else Receipt.KNOWN if event.id in known else Receipt.NOT_OURS
        )
        if event.id in kept:
            kept.discard(event.id)
            known.add(event.id)
    return receipts


def _keep(session: Session, ledger_id: int, events: list[Received], *, delivered: bool) -> set[str]:
    ours = those_of_ours(session, ledger_id, events)
    if not ours:
        return set()
    now = database_now(session)
    rows = [
        _row(ledger_id, event, now - timedelta(milliseconds=place), delivered)
        for place, event in enumerate(ours)
    ]
    added = insert_into(session, StripeEvent).values(rows).on_conflict_do_nothing()
    return set(session.scalars(added.returning(StripeEvent.id)))


def _row(ledger_id: int, event: Received, due: datetime, delivered: bool) -> dict[str, object]:
    return {
        "ledger_id": ledger_id,
        "id": event.id,
        "type": event.type,
        "object_id": event.object_id,
        "payment_intent": event.payment_intent,
        "created_at": event.created_at,
        "status": event.status,
        "delivered": delivered,
        "attempts": 0,
        "next_attempt_at": due,
    }


def count_waiting(session: Session, ledger_id: int | None) -> dict[str, int]:
    """How many events tell of what Stripe doesn't show yet, by what they wait for (waits.Wait); None: of all ledgers."""
    of_ledger = sa.true() if ledger_id is None else StripeEvent.ledger_id == ledger_id
    rows = session.execute(
        sa.select(StripeEvent.waits_for, sa.func.count())
        .where(of_ledger, StripeEvent.settled_at.is_(None))
        .where(StripeEvent.waits_for.is_not(None))
        .group_by(StripeEvent.waits_for)
    )
    return {str(what): int(count) for what, count in rows}


def claim_due(session: Session, ledger_id: int, limit: int, lease: Lease) -> list[Received]:
    """Claim events that nobody has settled, the oldest first."""
    now = database_now(session)
    whose = {"claimant": lease.owner, "until": now + lease.length}
    rows = session.execute(_CLAIM, {"ledger": ledger_id, "now": now, "most": limit} | whose)
    return [
        Received(
            row.id,
            row.type,
            row.object_id,
            row.payment_intent,
            row.created_at,
            attempts=row.attempts,
            waits_for=row.waits_for,
            status=row.status,
            delivered=row.delivered,
        )
        # RETURNING keeps no order.
        for row in sorted(rows, key=lambda row: (row.created_at, row.next_attempt_at))
    ]


def settle(session: Session, ledger_id: int, event_id: str, now: datetime) -> None:
    """Nothing is left to do about this event."""
    session.execute(_SETTLE, {"ledger": ledger_id, "event": event_id, "now": now})


def postpone(session: Session, ledger_id: int, event: Received, delay: timedelta) -> None:
    """Stripe was in trouble, which says nothing about this event."""
    _put_off(session, ledger_id, event, delay)


def wait_for(session: Session, ledger_id: int, event: Received, what: str, longest: timedelta) -> None:
    """Ask again after a second, two, four and so on, counted from when what it tells was first not there."""
    delay = min(timedelta(seconds=2.0 ** min(event.answers - 1, 20)), longest)
    _put_off(session, ledger_id, event, delay, attempts=event.answers, waits_for=what)


def hold(session: Session, ledger_id: int, event: Received, what: str, delay: timedelta) -> None:
    """It wasn't answered, and others find out when it can be: it is due after the delay, or as soon as it is released."""
    attempts = event.attempts if event.waits_for is not None else 0
    _put_off(session, ledger_id, event, delay, attempts=attempts, waits_for=what)


def release(session: Session, ledger_id: int, types: Sequence[str], what: str) -> int:
    """Let events of these types that were held for this be due now; how many."""
    held = sa.update(StripeEvent).where(
        StripeEvent.ledger_id == ledger_id,
        StripeEvent.settled_at.is_(None),
        StripeEvent.waits_for == what,
        StripeEvent.type.in_(types),
    )
    due = held.values(next_attempt_at=database_now(session)).returning(StripeEvent.id)
    return len(session.scalars(due.execution_options(synchronize_session=False)).all())


def list_held(session: Session, ledger_id: int, what: str) -> list[str]:
    """The types of the events that are held for this."""
    held = (
        sa.select(StripeEvent.type)
        .distinct()
        .where(
            StripeEvent.ledger_id == ledger_id,
            StripeEvent.settled_at.is_(None),
            StripeEvent.waits_for == what,
        )
    )
    return list(session.scalars(held.order_by(StripeEvent.type)))


def _put_off(session: Session, ledger_id: int, event: Received, delay: timedelta, **values: object) -> None:
    due = database_now(session) + delay
    _update(session, ledger_id, event.id, next_attempt_at=due, owner=None, lease_until=None, **values)


def _update(session: Session, ledger_id: int, event_id: str, **values: object) -> None:
    session.execute(
        sa.update(StripeEvent)
        .where(StripeEvent.ledger_id == ledger_id, StripeEvent.id == event_id)
        .where(StripeEvent.settled_at.is_(None))
        .values(**values)
    )


def watch_from(session: Session, ledger_id: int) -> tuple[datetime | None, datetime | None, bool, bool]:
    """Since when to poll and since when to sweep (None: no link yet), whether to ask often, whether any link exists.

    Often: while a link waits, and for some days after one was paid, when second payments, refunds and disputes come.
    """
    ledger = session.get_one(Ledger, ledger_id)
    watermark, swept_until = ledger.events_watermark, ledger.swept_until
    # By organisation, as the index is: asked every few seconds, this may go neither through all links nor through all organisations.
    own = sa.select(Organisation.id).where(Organisation.ledger_id == ledger_id)
    links = sa.select(Link.id).where(Link.organisation_id.in_(own), Link.ledger_id == ledger_id)
    pending = links.where(Link.status == LinkStatus.PENDING_PAYMENT)
    lately = Link.changed_at >= database_now(session) - WATCHED_AFTER_PAYMENT
    paid = links.where(Link.status == LinkStatus.PAID, lately)
    waiting = any(session.scalar(sa.select(some.exists())) for some in (pending, paid))
    if watermark is not None and swept_until is not None:
        return watermark, swept_until, waiting, True
    first = session.scalar(sa.select(sa.func.min(Link.created_at)).where(Link.ledger_id == ledger_id))
    return watermark or first, swept_until or first, waiting, first is not None


def move_watermark(
    session: Session, ledger_id: int, newest: datetime | None, begun_at: datetime | None, now: datetime
) -> bool:
    """A whole pass over the events is done; ``newest`` and ``begun_at`` are of Stripe's clock, ``now`` is ours. ``begun_at`` is None if
    it may have left out what happened before. Returns whether the ledger bears a mark (domain/stripe/pausing.py)."""
    ledger = session.get_one(Ledger, ledger_id, with_for_update=True)
    ledger.last_checked_at = now
    if begun_at is not None:
        ledger.polled_until = begun_at
    if newest is not None and (ledger.events_watermark is None or ledger.events_watermark < newest):
        ledger.events_watermark = newest
    return ledger.pause_reason is not None


def end_sweep(session: Session, ledger_id: int, begun_at: datetime, now: datetime) -> None:
    """The sweep is done; its mark never passes a link that may exist at Stripe without our knowing it.

    ``begun_at`` is of Stripe's clock, ``now`` of ours. When a link was first sent is of the database's, for which the
    hour between a session's life and SESSION_LIFE makes up.
    """
    unknown = sa.select(sa.func.min(Link.first_sent_at)).where(
        Link.ledger_id == ledger_id, Link.state == LinkState.RESERVED
    )
    begun_at = min(begun_at, session.scalar(unknown) or begun_at)
    ledger = session.get_one(Ledger, ledger_id, with_for_update=True)
    ledger.last_checked_at = now
    if ledger.swept_until is None or ledger.swept_until < begun_at:
        ledger.swept_until = begun_at
