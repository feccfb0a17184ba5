"""The pace of one Stripe account's requests, held over all processes."""

import asyncio
import math
from datetime import timedelta

from sqlalchemy.orm import Session

from domain.coordination.pacing import hold_back, reserve_slot
from domain.database import Database
from domain.stripe.ledgers import Ledgers


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
