"""Pace, kept in the database so that it holds over all processes: evenly spaced slots, never a burst."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import CLOCK_MILLISECONDS, written_once
from domain.models import Base, Pace, milliseconds

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
_UNTIL = CLOCK_MILLISECONDS + _TAKEN
_HOLD_BACK = written_once(
    lambda insert: (
        insert(_PACES)
        .values(name=sa.bindparam("pace"), next_at=_UNTIL)
        .on_conflict_do_update(index_elements=["name"], set_={"next_at": _UNTIL}, where=_NEXT < _UNTIL)
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
    session.execute(_HOLD_BACK(session), {"pace": name, "taken": milliseconds(timedelta(seconds=seconds))})
