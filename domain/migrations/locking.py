"""Having tables to oneself for a moment, while everybody works on them."""

import sqlalchemy as sa

_PATIENT = "10s"
# People's transactions wait behind each of these locks, and give up after 1.8 s.
_BRIEF = "200ms"


def lock_briefly(connection: sa.Connection, *tables: str) -> None:
    """On PostgreSQL, keep all others out of these tables until the transaction ends, or give up soon.

    Giving up is an OperationalError, after which ``upgrade`` tries again: queueing up would queue everybody's work
    behind it. Name the tables in the order in which the bot's transactions come to them. On SQLite a write
    transaction has everything to itself anyway.
    """
    if connection.dialect.name != "postgresql":
        return
    names = ", ".join(tables)
    # Nobody's work waits for this one, but an autovacuum leaves for it, if it is given more than the server's
    # deadlock_timeout; it wouldn't leave within the brief one.
    connection.execute(sa.text(f"SET LOCAL lock_timeout = '{_PATIENT}'"))
    connection.execute(sa.text(f"LOCK TABLE {names} IN SHARE UPDATE EXCLUSIVE MODE"))
    connection.execute(sa.text(f"SET LOCAL lock_timeout = '{_BRIEF}'"))
    connection.execute(sa.text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
