"""The types of events that Stripe delivers and Paylink has no use for."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import insert_into
from domain.models import UnusedEvent


def note_unused(session: Session, ledger_id: int, told: str, now: datetime) -> None:
    """Stripe delivers a type of event that Paylink has no use for: doctor tells of it."""
    statement = insert_into(session, UnusedEvent).values(ledger_id=ledger_id, type=told, seen_at=now)
    again = {"seen_at": now}
    session.execute(statement.on_conflict_do_update(index_elements=["ledger_id", "type"], set_=again))


def list_unused(session: Session, ledger_id: int, since: datetime) -> list[str]:
    """The types of events that came in vain since then."""
    lately = sa.select(UnusedEvent.type).where(
        UnusedEvent.ledger_id == ledger_id, UnusedEvent.seen_at >= since
    )
    return list(session.scalars(lately.order_by(UnusedEvent.type)))
