"""Pace, kept in the database so that it holds over all processes: evenly spaced slots, never a burst."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import CLOCK_MILLISECONDS, database_now, insert_into, written_once
from domain.models import Base, Instant, Pace, milliseconds

_PACES = Base.metadata.tables[Pace.__tablename__]
_NEXT = sa.type_coerce(_PACES.c.next_at, sa.BigInteger)
_TAKEN = sa.bindparam("taken", type_=sa.BigInteger)
# One statement, which locks the row itself: the next slot is taken after it, or from now on.
_TAKE = written_once(
    lambda insert: (
        insert(_PACES)
        .values(name=sa.bindparam("pace"), next_at=CLOCK_MILLISECONDS + _TAKEN)
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"next_at": sa.case((_NEXT > CLOCK_MILLISECONDS, _NEXT), else_=CLOCK_MILLISECONDS) + _TAKEN},
        )
        .returning(_NEXT - _TAKEN - CLOCK_MILLISECONDS)
    )
)


def reserve_slot(session: Session, name: str, interval: timedelta, count: int = 1) -> float:
    """Take the next ``count`` slots of ``name``; return the seconds until the first (by the database's clock)."""
    wait: int = session.execute(
        _TAKE(session), {"pace": name, "taken": milliseconds(count * interval)}
    ).scalar_one()
    return max(wait, 0) / 1000


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
