"""Noting that something about an invoice has changed that isn't written in its own row."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import database_clock
from domain.models import Invoice


def mark_changed(session: Session, invoice_id: int) -> None:
    """Programs that ask what has changed since are shown it again. The caller holds it (locking.py)."""
    session.execute(
        sa.update(Invoice).where(Invoice.id == invoice_id).values(changed_at=database_clock()),
        execution_options={"synchronize_session": False},
    )
