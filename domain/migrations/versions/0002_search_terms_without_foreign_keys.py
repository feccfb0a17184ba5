"""Search terms without foreign keys (docs/decisions/0015)."""

import re

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEY = re.compile(r",\s*CONSTRAINT fk_search_terms_\w+ FOREIGN KEY\(\w+\) REFERENCES \w+ \(id\)")


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _forget_keys(connection)
        return
    lock_briefly(connection, "organisations", "invoices", "search_terms")
    op.drop_constraint("fk_search_terms_invoice_id", "search_terms", type_="foreignkey")
    op.drop_constraint("fk_search_terms_organisation_id", "search_terms", type_="foreignkey")


def _forget_keys(connection: sa.Connection) -> None:
    """Correct the table's definition where it stands, as SQLite documents it for constraints.

    The rows are the same with and without a foreign key. Copying the table instead would keep writers out for
    minutes. sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes".
    """
    found = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'search_terms'"
    ).scalar_one()
    corrected, count = _KEY.subn("", found)
    if count != 2:
        raise RuntimeError("search_terms isn't as version 0001 made it")
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    try:
        connection.exec_driver_sql(
            "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = 'search_terms'", (corrected,)
        )
        # All connections, also those of running processes, read the definitions again.
        connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    finally:
        connection.exec_driver_sql("PRAGMA writable_schema = RESET")
