"""What tests do with the two databases."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.util import LRUCache

from domain.models import Base

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what never depends on the database: how a request is read, what is refused before it is asked, what is shown.

Everything else that uses ``database_url`` runs on both.
"""
_TABLES = [table.name for table in Base.metadata.sorted_tables]
_FILLED = sa.text(" UNION ALL ".join(f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in _TABLES))


class Compiled:
    """What SQLAlchemy has made of statements, for the engines of all tests. Each would make it anew, which is a quarter of what a
    test with a database takes; a process of Paylink's has one engine for its life."""

    def __init__(self) -> None:
        self._of: dict[str, sa.Dialect] = {}
        self._compiled: LRUCache[Any, Any] = LRUCache(20_000)

    def keep(self, engine: sa.Engine) -> None:
        """It has been connected: others take from now on what it knows of its kind of database."""
        self._of[engine.dialect.name] = engine.dialect

    def sharing(self, make_engine: Callable[[str], sa.Engine]) -> Callable[[str], sa.Engine]:
        def make(url: str) -> sa.Engine:
            engine = make_engine(url)
            # Statements are kept by the dialect that they were compiled for.
            engine.dialect = self._of.get(engine.dialect.name, engine.dialect)
            engine._compiled_cache = self._compiled
            return engine

        return make


def empty(connection: sa.Connection) -> None:
    """Leave PostgreSQL's tables as they are in a new database, in a tenth of the time that TRUNCATE takes for all of them."""
    filled = connection.scalars(_FILLED).all()
    # No order has to be kept, and the audit can't refuse.
    connection.execute(sa.text("SET LOCAL session_replication_role = 'replica'"))
    for name in filled:
        connection.execute(sa.text(f"DELETE FROM {name}"))
    connection.execute(sa.text("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"))
