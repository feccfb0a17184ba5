"""The pace of each Stripe account's requests, held over all processes."""

import asyncio
import math
from datetime import timedelta

from sqlalchemy.orm import Session

from domain.coordination.pacing import hold_back, reserve_slot
from domain.database import Database


class StripePace:
    """``rate`` requests a second for each ledger, over all processes."""

    def __init__(self, db: Database, rate: float) -> None:
        self._db = db
        # Rounded up to the clock's milliseconds, so as to stay under the rate.
        self._interval = timedelta(milliseconds=math.ceil(1000 / rate))

    async def slot(self, ledger_id: int) -> None:
        """Wait for this request's turn."""
        await self.wait(await self._db.background_write(reserve_slot, _name(ledger_id), self._interval))

    def take(self, session: Session, ledger_id: int, count: int) -> list[float]:
        """In a transaction that has other work too: the seconds until each of so many requests' turn."""
        first = reserve_slot(session, _name(ledger_id), self._interval, count)
        return [first + turn * self._interval.total_seconds() for turn in range(count)]

    async def wait(self, seconds: float) -> None:
        """Until a turn that was taken."""
        if seconds > 0:
            await asyncio.sleep(seconds)

    async def hold_back(self, ledger_id: int, seconds: float) -> None:
        """Stripe said that there were too many."""
        await self._db.background_write(hold_back, _name(ledger_id), seconds)


def _name(ledger_id: int) -> str:
    return f"stripe:{ledger_id}"
