"""Indexes that find an invoice by the closing digits of its number, and a link by its URL (decision 0030).

The databases keep them, also for what the version before writes.
"""

import sqlalchemy as sa
from alembic import op

from domain.migrations.indexing import has_index

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_invoices_closing": (
        "invoices (organisation_id, substr(number_key, length(number_key) - 1), number_key)",
        " INCLUDE (id)",
        "",
    ),
    "ix_invoices_closing_identity": (
        "invoices (organisation_id, substr(identity, length(identity) - 1), identity)",
        "",
        " WHERE identity IS NOT NULL",
    ),
    "ix_links_url": ("links (organisation_id, ledger_id, url)", "", " WHERE url IS NOT NULL"),
}


def upgrade() -> None:
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    for name, (of, included, those) in _INDEXES.items():
        # Asking PostgreSQL to make it if it isn't there would keep writers out for a moment even if it is.
        if is_sqlite or not has_index(connection, name):
            included = "" if is_sqlite else included
            connection.execute(sa.text(f"CREATE INDEX IF NOT EXISTS {name} ON {of}{included}{those}"))
