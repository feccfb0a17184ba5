"""Pace, kept in the database so that it holds over all processes: evenly spaced slots, never a burst."""

import asyncio
import math
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database, database_now, insert_into
from domain.ledgers import Ledgers
from domain.models import Instant, Pace


def reserve_slot(session: Session, name: str, interval: timedelta, count: int = 1) -> float:
    """Take the next ``count`` slots of ``name``; return the seconds until the first (by the database's clock)."""
    now = database_now(session)
    slot = session.scalar(sa.select(Pace.next_at).where(Pace.name == name).with_for_update())
    slot = now if slot is None or slot < now else slot
    _set(session, name, slot + count * interval)
    return (slot - now).total_seconds()


def hold_back(session: Session, name: str, seconds: float) -> None:
    """No slot of ``name`` before so many seconds from now."""
    until = database_now(session) + timedelta(seconds=seconds)
    slot = session.scalar(sa.select(Pace.next_at).where(Pace.name == name).with_for_update())
    if slot is None or slot < until:
        _set(session, name, until)


def _set(session: Session, name: str, next_at: datetime) -> None:
    statement = insert_into(session, Pace).values(name=name, next_at=next_at)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Pace.name],
            # Two that saw no row at once: the later slot stands.
            set_={
                "next_at": sa.case((Pace.next_at > next_at, Pace.next_at), else_=sa.literal(next_at, Instant))
            },
        )
    )


class StripePace:
    """The limiter of one Stripe account: ``rate`` requests a second over all processes."""

    def __init__(self, db: Database, ledgers: Ledgers, rate: float) -> None:
        self._db = db
        self._ledgers = ledgers
        # Rounded up to the clock's milliseconds, so as to stay under the rate.
        self._interval = timedelta(milliseconds=math.ceil(1000 / rate))

    async def slot(self) -> None:
        """Wait for this request's turn."""
        await self.wait(await self._db.background_write(reserve_slot, self._name, self._interval))

    def take(self, session: Session, count: int) -> list[float]:
        """In a transaction that has other work too: the seconds until each of so many requests' turn."""
        first = reserve_slot(session, self._name, self._interval, count)
        return [first + turn * self._interval.total_seconds() for turn in range(count)]

    async def wait(self, seconds: float) -> None:
        """Until a turn that was taken."""
        if seconds > 0:
            await asyncio.sleep(seconds)

    async def hold_back(self, seconds: float) -> None:
        """Stripe said that there were too many."""
        await self._db.background_write(hold_back, self._name, seconds)

    @property
    def _name(self) -> str:
        return f"stripe:{self._ledgers.id}"
