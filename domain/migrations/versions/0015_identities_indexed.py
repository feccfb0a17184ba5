"""The indexes of identities, and of invoices that have none yet: with most numbers both are empty (decision 0024)."""

import sqlalchemy as sa
from alembic import op

from domain.migrations.indexing import has_index

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_HAS_IDENTITY = sa.text("identity IS NOT NULL")
_UNFOLDED = {
    "sqlite": "identity IS NULL AND (number_key GLOB '*[^ -~]*' OR instr(number_key, '  ') > 0)",
    "postgresql": "identity IS NULL AND (number_key ~ '[^ -~]' OR strpos(number_key, '  ') > 0)",
}


def upgrade() -> None:
    _make("uq_invoices_identity", ["organisation_id", "identity"], True, _HAS_IDENTITY, _HAS_IDENTITY)
    of_sqlite, of_postgresql = sa.text(_UNFOLDED["sqlite"]), sa.text(_UNFOLDED["postgresql"])
    _make("ix_invoices_unfolded", ["organisation_id", "id"], False, of_sqlite, of_postgresql)


def _make(
    name: str, columns: list[str], unique: bool, of_sqlite: sa.TextClause, of_postgresql: sa.TextClause
) -> None:
    connection = op.get_bind()
    # Asking PostgreSQL to make it if it isn't there would keep writers out for a moment even if it is.
    if connection.dialect.name == "sqlite" or not has_index(connection, name):
        op.create_index(
            name,
            "invoices",
            columns,
            unique=unique,
            sqlite_where=of_sqlite,
            postgresql_where=of_postgresql,
            if_not_exists=True,
        )
