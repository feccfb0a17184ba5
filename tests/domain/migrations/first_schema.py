"""A database as the first version of the schema left it, and what is in a database of any version."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from domain import migrations
from tests.domain.migrations.first_rows import Rows, first_rows


def make_first(engine: sa.Engine) -> None:
    """Version 0001, made by Alembic, with the rows."""
    migrate(engine, "0001")
    with engine.begin() as connection:
        described = sa.MetaData()
        described.reflect(connection)
        rows = first_rows()
        for table in described.sorted_tables:
            if table.name != "alembic_version":
                for row in rows[table.name]:
                    connection.execute(table.insert(), row)
        if connection.dialect.name == "postgresql":
            _go_on_counting(connection, rows)


def migrate(engine: sa.Engine, revision: str) -> None:
    """Alembic itself, on a database that nobody uses."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def kept_rows(connection: sa.Connection, before: Rows | None = None) -> Rows:
    """All rows of all tables, in an order; only the tables and columns of ``before``, if that is given."""
    kept = {}
    described = sa.inspect(connection)
    for name in described.get_table_names():
        if name == "alembic_version" or (before is not None and name not in before):
            continue
        columns = [sa.column(column["name"], column["type"]) for column in described.get_columns(name)]
        table = sa.table(name, *columns)
        rows = [dict(row._mapping) for row in connection.execute(sa.select(table))]
        if before is not None and before[name]:
            rows = [{column: row[column] for column in before[name][0]} for row in rows]
        kept[name] = sorted(rows, key=repr)
    return kept


def _go_on_counting(connection: sa.Connection, rows: Rows) -> None:
    """PostgreSQL doesn't notice which ids were given."""
    for name, given in rows.items():
        if "id" in given[0] and isinstance(given[0]["id"], int):
            connection.execute(
                sa.text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"),
                {"name": name, "last": max(row["id"] for row in given)},
            )
