"""Search terms without foreign keys (docs/decisions/0015).

Where they are gone already, because somebody went back to the version before, nothing is left to do.
"""

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
    for name in ("fk_search_terms_invoice_id", "fk_search_terms_organisation_id"):
        op.drop_constraint(name, "search_terms", type_="foreignkey", if_exists=True)


def _forget_keys(connection: sa.Connection) -> None:
    """Correct the table's definition where it stands, as SQLite documents it for constraints.

    The rows are the same with and without a foreign key. Copying the table instead would keep writers out for
    minutes. sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes".
    """
    found = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'search_terms'"
    ).scalar_one()
    corrected = _KEY.sub("", found)
    if "FOREIGN KEY" in corrected:
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
