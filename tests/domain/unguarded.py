"""The audit as whoever owns the database has it, who needn't ask the triggers: to tamper with it, or to put a backup back."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.orm import Session

_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit%'"


@contextmanager
def unguarded(session: Session) -> Iterator[None]:
    """Within a transaction."""
    if session.get_bind().dialect.name == "postgresql":
        for table in ("audit", "audit_heads"):
            session.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        yield
        for table in ("audit", "audit_heads"):
            session.execute(sa.text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        return
    dropped = session.execute(sa.text(_TRIGGERS)).all()
    for name, _ in dropped:
        session.execute(sa.text(f"DROP TRIGGER {name}"))
    yield
    for _, sql in dropped:
        session.connection().exec_driver_sql(sql)
