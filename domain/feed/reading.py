"""Reading the feed in order, and forgetting what is old.

Events are numbered when they are committed: under the lock of the organisation's head all that is visible and has no
position yet gets the next ones. Whoever numbers after that sees what was numbered before, so that nothing ever comes to stand
before or between what somebody has read. What happened after another fact was committed is numbered after it.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database, database_now, insert_into
from domain.models import Base, FeedEvent, FeedHead
from domain.scope import Scope
from domain.states import FeedKind

PAGE = 100
KEPT = timedelta(days=30)
# Numbered in one transaction: more wait for the next one.
NUMBERED_AT_ONCE = 5_000
DELETED_AT_ONCE = 1_000
_EVENTS = Base.metadata.tables[FeedEvent.__tablename__]


class FeedForgotten(Exception):
    """What came after this position isn't kept any more."""


class FeedUnknown(Exception):
    """There is no such position yet: it is of another database, or of what a backup doesn't have."""


@dataclass(frozen=True)
class Happened:
    """One event of the feed. ``facts`` as domain/feed/recording.py writes them."""

    position: int
    kind: FeedKind
    at: datetime
    invoice_number: str | None
    facts: dict[str, Any]


@dataclass(frozen=True)
class FeedPage:
    """The next events, in order. ``last`` is the position to go on after."""

    events: tuple[Happened, ...]
    last: int
    has_more: bool


def is_waiting(session: Session, organisation_id: int) -> bool:
    """Whether there are events without a position."""
    waiting = sa.select(FeedEvent.id).where(
        FeedEvent.organisation_id == organisation_id, FeedEvent.position.is_(None)
    )
    return bool(session.scalar(sa.select(waiting.exists())))


def number(session: Session, organisation_id: int) -> int:
    """Give the next positions to what is committed and has none; how many."""
    head = _lock(session, organisation_id)
    # Asked for after the lock: what whoever had it numbered is seen as such.
    waiting = session.scalars(
        sa.select(FeedEvent.id)
        .where(FeedEvent.organisation_id == organisation_id, FeedEvent.position.is_(None))
        .order_by(FeedEvent.id)
        .limit(NUMBERED_AT_ONCE)
    ).all()
    if waiting:
        session.execute(
            sa.update(_EVENTS).where(_EVENTS.c.id == sa.bindparam("event_id")),
            [
                {"event_id": event_id, "position": position}
                for position, event_id in enumerate(waiting, head.numbered + 1)
            ],
        )
        head.numbered += len(waiting)
    return len(waiting)


def read_page(session: Session, scope: Scope, after: int | None) -> FeedPage:
    """The events of the scope's ledger after that position; None for the oldest that are kept. Raises FeedForgotten, FeedUnknown."""
    head = session.get(FeedHead, scope.organisation_id)
    numbered, deleted = (0, 0) if head is None else (head.numbered, head.deleted)
    if after is None:
        after = deleted
    if after < deleted:
        raise FeedForgotten
    if after > numbered:
        raise FeedUnknown
    found = session.scalars(
        sa.select(FeedEvent)
        .where(FeedEvent.organisation_id == scope.organisation_id, FeedEvent.ledger_id == scope.ledger_id)
        # Not beyond the head as it was read: a read may be its statements, each on its own.
        .where(FeedEvent.position > after, FeedEvent.position <= numbered)
        .order_by(FeedEvent.position)
        .limit(PAGE + 1)
    ).all()
    if after < _deleted(session, scope):
        raise FeedForgotten
    events = tuple(
        Happened(row.position or 0, row.kind, row.at, row.invoice_number, json.loads(row.facts))
        for row in found[:PAGE]
    )
    more = len(found) > PAGE
    # Those of another ledger are passed over.
    return FeedPage(events, events[-1].position if more else numbered, more)


def _deleted(session: Session, scope: Scope) -> int:
    """By now: what is forgotten between two statements would be missing without a word."""
    head = sa.select(FeedHead.deleted).where(FeedHead.organisation_id == scope.organisation_id)
    return session.scalar(head) or 0


async def forget_old(db: Database) -> None:
    """Delete what is older than is kept, in short transactions."""
    for organisation_id in await db.background_read(_with_old):
        while await db.background_write(_forget, organisation_id):
            pass


def _with_old(session: Session) -> list[int]:
    old = sa.select(FeedEvent.organisation_id).where(FeedEvent.at < database_now(session) - KEPT)
    return list(session.scalars(old.distinct()))


def _forget(session: Session, organisation_id: int) -> bool:
    """Only from the beginning, so that the head says all of it."""
    if number(session, organisation_id) == NUMBERED_AT_ONCE:
        return True
    head = _lock(session, organisation_id)
    kept = sa.select(sa.func.min(FeedEvent.position)).where(
        FeedEvent.organisation_id == organisation_id, FeedEvent.at >= database_now(session) - KEPT
    )
    begin = session.scalar(kept)
    until = min(head.numbered if begin is None else begin - 1, head.deleted + DELETED_AT_ONCE)
    if until <= head.deleted:
        return False
    session.execute(
        sa.delete(FeedEvent).where(FeedEvent.organisation_id == organisation_id, FeedEvent.position <= until)
    )
    head.deleted = until
    return True


def _lock(session: Session, organisation_id: int) -> FeedHead:
    session.execute(
        insert_into(session, FeedHead)
        .values(organisation_id=organisation_id, numbered=0, deleted=0)
        .on_conflict_do_nothing(index_elements=["organisation_id"])
    )
    return session.get_one(FeedHead, organisation_id, with_for_update=True, populate_existing=True)
