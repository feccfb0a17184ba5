"""Pace, kept in the database so that it holds over all processes: evenly spaced slots, never a burst."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import database_now, insert_into
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
