"""Correcting a table's definition where it stands, on SQLite, which can't alter constraints otherwise than by copying.

As SQLite documents it for constraints: sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes".
"""

from collections.abc import Callable

import sqlalchemy as sa


def correct_definition(connection: sa.Connection, table: str, correct: Callable[[str], str]) -> None:
    """Put what ``correct`` makes of the table's CREATE statement in its place.

    The rows must be the same with both, as with and without a foreign key or a check that they pass. Copying the table
    instead would keep writers out for minutes.
    """
    found = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
    ).scalar_one()
    corrected = correct(found)
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    try:
        connection.exec_driver_sql(
            "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", (corrected, table)
        )
        # All connections, also those of running processes, read the definitions again.
        connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    finally:
        connection.exec_driver_sql("PRAGMA writable_schema = RESET")
