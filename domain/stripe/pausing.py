"""A mark on the ledger while Stripe refuses the key or can't be reached; the work resumes by itself."""

import asyncio

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.models import Ledger
from domain.states import PauseReason
from domain.stripe.errors import StripeKeyRefused
from domain.summaries import Pause

AWAY = Pause(PauseReason.STRIPE_AWAY)
# Seconds; a mark that outlived its process stands for so long at most once Stripe answers another one.
CLEARED_EVERY = 15.0


class Pausing:
    """What one kind of work in one process knows about the mark.

    An answer shows that Stripe isn't away. It doesn't show that the key may do what another kind of work was refused.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._said = False
        self._cleared_at = float("-inf")

    async def pause(self, ledger_id: int, why: Pause) -> None:
        """Put the mark there, at each trouble again: another kind's may have taken its place and gone."""
        self._said = True
        await self._db.background_write(pause, ledger_id, why)

    async def resume(self, ledger_id: int, *, marked: bool = True) -> None:
        """Stripe has answered: take away what was said from here, and that it is away, whoever said so. ``marked``: whether the ledger
        may bear a mark."""
        now = asyncio.get_running_loop().time()
        if self._said:
            self._said, self._cleared_at = False, now
            await self._db.background_write(resume, ledger_id)
        elif marked and now - self._cleared_at >= CLEARED_EVERY:
            self._cleared_at = now
            await self._db.background_write(resume, ledger_id, of=PauseReason.STRIPE_AWAY)


def because_refused(refused: StripeKeyRefused) -> Pause:
    """Why the work pauses when Stripe refuses the key."""
    if refused.lacking:
        return Pause(PauseReason.PERMISSION_LACKING, refused.permission)
    return Pause(PauseReason.KEY_REFUSED)


def pause(session: Session, ledger_id: int, why: Pause) -> None:
    another = sa.or_(
        Ledger.pause_reason.is_distinct_from(why.reason),
        Ledger.pause_permission.is_distinct_from(why.permission),
    )
    session.execute(
        sa.update(Ledger)
        .where(Ledger.id == ledger_id, another)
        .values(pause_reason=why.reason, pause_permission=why.permission)
    )


def resume(session: Session, ledger_id: int, of: PauseReason | None = None) -> None:
    """Take the mark away, whichever it is or only this one."""
    there = Ledger.pause_reason.is_not(None) if of is None else Ledger.pause_reason == of
    session.execute(
        sa.update(Ledger)
        .where(Ledger.id == ledger_id, there)
        .values(pause_reason=None, pause_permission=None)
    )
