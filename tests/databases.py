"""What tests do with the two databases."""

import pytest
import sqlalchemy as sa

from domain.models import Base

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what never depends on the database: how a request is read, what is refused before it is asked, what is shown.

Everything else that uses ``database_url`` runs on both.
"""
_TABLES = [table.name for table in Base.metadata.sorted_tables]
_FILLED = sa.text(" UNION ALL ".join(f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in _TABLES))


def empty(connection: sa.Connection) -> None:
    """Leave PostgreSQL's tables as they are in a new database, in a tenth of the time that TRUNCATE takes for all of them."""
    filled = connection.scalars(_FILLED).all()
    # No order has to be kept, and the audit can't refuse.
    connection.execute(sa.text("SET LOCAL session_replication_role = 'replica'"))
    for name in filled:
        connection.execute(sa.text(f"DELETE FROM {name}"))
    connection.execute(sa.text("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"))
