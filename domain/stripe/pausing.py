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
    """What one kind of work in one process knows about the sentence.

    An answer shows that Stripe isn't away. It doesn't show that the key may do what another kind of work was refused.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._said = False
        self._cleared_at = float("-inf")

    async def pause(self, ledger_id: int, sentence: str) -> None:
        """Put the sentence there, at each trouble again: another kind's may have taken its place and gone."""
        self._said = True
        await self._db.background_write(pause, ledger_id, sentence)

    async def resume(self, ledger_id: int) -> None:
        """Stripe has answered: take away what was said from here, and that it is away, whoever said so."""
        now = asyncio.get_running_loop().time()
        if self._said:
            self._said, self._cleared_at = False, now
            await self._db.background_write(resume, ledger_id)
        elif now - self._cleared_at >= CLEARED_EVERY:
            self._cleared_at = now
            await self._db.background_write(resume, ledger_id, of=AWAY)


def pause(session: Session, ledger_id: int, sentence: str) -> None:
    another = Ledger.paused_because.is_distinct_from(sentence)
    session.execute(sa.update(Ledger).where(Ledger.id == ledger_id, another).values(paused_because=sentence))


def resume(session: Session, ledger_id: int, of: str | None = None) -> None:
    """Take the sentence away, whichever it is or only this one."""
    there = Ledger.paused_because.is_not(None) if of is None else Ledger.paused_because == of
    session.execute(sa.update(Ledger).where(Ledger.id == ledger_id, there).values(paused_because=None))
