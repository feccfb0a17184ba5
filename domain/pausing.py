"""A sentence on the ledger while Stripe refuses the key or can't be reached; the work resumes by itself."""

import asyncio

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.models import Ledger

AWAY = "Stripe can't be reached right now"
# Seconds; a sentence that outlived its process stands for so long at most once Stripe answers another one.
CLEARED_EVERY = 15.0


class Pausing:
    """What one kind of work in one process knows about the sentence, so that it isn't written with each request."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._said = False
        self._cleared_at = float("-inf")

    async def pause(self, ledger_id: int, sentence: str) -> None:
        """Put the sentence there, unless one is there from here."""
        if not self._said:
            self._said = True
            await self._db.background_write(pause, ledger_id, sentence)

    async def resume(self, ledger_id: int) -> None:
        """Stripe has answered: take the sentence away, whoever put it there."""
        now = asyncio.get_running_loop().time()
        if self._said or now - self._cleared_at >= CLEARED_EVERY:
            self._said, self._cleared_at = False, now
            await self._db.background_write(resume, ledger_id)


def pause(session: Session, ledger_id: int, sentence: str) -> None:
    session.execute(sa.update(Ledger).where(Ledger.id == ledger_id).values(paused_because=sentence))


def resume(session: Session, ledger_id: int) -> None:
    session.execute(
        sa.update(Ledger)
        .where(Ledger.id == ledger_id, Ledger.paused_because.is_not(None))
        .values(paused_because=None)
    )
