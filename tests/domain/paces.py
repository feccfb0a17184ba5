"""Transactions over the smallest table there is."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Pace

START = datetime(2026, 1, 1, tzinfo=UTC)


def count(session: Session) -> int:
    return session.scalars(sa.select(sa.func.count()).select_from(Pace)).one()


def add(session: Session, name: str) -> None:
    session.add(Pace(name=name, next_at=START))
    session.flush()


def move(session: Session) -> None:
    """As most updates are written: read, then write what follows from it."""
    pace = session.scalars(sa.select(Pace).with_for_update()).one()
    pace.next_at += timedelta(seconds=1)
