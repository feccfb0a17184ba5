"""A database as it was once, and that put back: what an operator does with a backup."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.models import Base

_TABLES = Base.metadata.sorted_tables


@dataclass(frozen=True)
class Backup:
    rows: dict[str, list[dict[str, Any]]]


def take(db: Database) -> Backup:
    return Backup(db.run(_read))


def put_back(db: Database, backup: Backup) -> None:
    """Nothing of what came later is left, and ids are given as they were going to be then."""
    db.run(_write, backup)


def _read(session: Session) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: [dict(row) for row in session.execute(sa.select(table)).mappings()] for table in _TABLES
    }


def _write(session: Session, backup: Backup) -> None:
    put_on = _take_off_triggers(session)
    for table in reversed(_TABLES):
        session.execute(sa.delete(table))
    for table in _TABLES:
        if rows := backup.rows[table.name]:
            session.execute(sa.insert(table), rows)
        numbered = [column.name for column in table.primary_key] == ["id"]
        if numbered and session.get_bind().dialect.name == "postgresql":
            next_id = max((row["id"] for row in rows), default=0) + 1
            place = sa.text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :next, false)")
            session.execute(place, {"table": table.name, "next": next_id})
    for statement in put_on:
        session.execute(sa.text(statement))


def _take_off_triggers(session: Session) -> list[str]:
    """As where the whole file or cluster is exchanged, nothing is kept up to date by what is written, and the audit can't
    refuse; what puts them on again."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SET LOCAL session_replication_role = 'replica'"))
        return []
    triggers = session.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
    for name, _ in triggers:
        session.execute(sa.text(f"DROP TRIGGER {name}"))
    return [statement for _, statement in triggers]
