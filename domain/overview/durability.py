"""Whether what is committed outlives a crash of the database or of its machine, as far as the database's own settings say."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

_PROMISED = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
"""PostgreSQL's settings, each with what it must be; what is more than that is well, too."""
_MORE = frozenset({"local", "remote_write", "remote_apply"})
_FULL = 2
"""SQLite's word for: each commit is on the disk before it is said to be one."""


def list_weaknesses(session: Session) -> dict[str, str]:
    """Settings under which a commit that was acknowledged may be lost, each with its value; for this database and user."""
    if session.get_bind().dialect.name == "sqlite":
        synchronous = session.execute(sa.text("PRAGMA synchronous")).scalar_one()
        return {} if synchronous >= _FULL else {"synchronous": str(synchronous)}
    asked = sa.text("SELECT name, setting FROM pg_settings WHERE name IN :names").bindparams(
        sa.bindparam("names", tuple(_PROMISED), expanding=True)
    )
    return {
        name: value
        for name, value in sorted(session.execute(asked).all())
        if value != _PROMISED[name] and value not in _MORE
    }
