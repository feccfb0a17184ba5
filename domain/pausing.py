"""A sentence on the ledger while Stripe refuses the key or can't be reached; the work resumes by itself."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Ledger

AWAY = "Stripe can't be reached right now"


def pause(session: Session, ledger_id: int, sentence: str) -> None:
    session.execute(sa.update(Ledger).where(Ledger.id == ledger_id).values(paused_because=sentence))


def resume(session: Session, ledger_id: int) -> None:
    session.execute(
        sa.update(Ledger)
        .where(Ledger.id == ledger_id, Ledger.paused_because.is_not(None))
        .values(paused_because=None)
    )
