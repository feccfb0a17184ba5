"""The version after this one, as far as the schema goes: `python -m tests.acceptance.later db upgrade`.

It is this Paylink with one more revision, which does to tables in use what revisions do to them. So the version before, which
works on beside it, is this Paylink as it is. What the real revisions do beside writers is tried in tests/domain/migrations.
"""

import sqlalchemy as sa

from domain import migrations
from domain.migrations.indexing import INDEXES
from domain.migrations.locking import lock_briefly

REVISION = "later"
_BUILT_BESIDE = {"ix_invoices_later": "invoices (buyer_email)"}
_run = migrations._run


def run_revision(connection: sa.Connection, revision: str) -> None:
    if revision != REVISION:
        _run(connection, revision)
        return
    lock_briefly(connection, "invoices", "links")
    for table in ("invoices", "links"):
        connection.execute(sa.text(f"ALTER TABLE {table} ADD COLUMN later TEXT"))
        connection.execute(sa.text(f"UPDATE {table} SET later = 'new'"))
    for name, of in _BUILT_BESIDE.items():
        connection.execute(sa.text(f"CREATE INDEX IF NOT EXISTS {name} ON {of}"))
    connection.execute(sa.text("UPDATE alembic_version SET version_num = :to"), {"to": REVISION})


if __name__ == "__main__":
    from bot.__main__ import run

    migrations.REVISIONS = (*migrations.REVISIONS, REVISION)
    migrations._run = run_revision
    INDEXES[REVISION] = _BUILT_BESIDE
    run()
