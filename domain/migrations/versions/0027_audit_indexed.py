"""The indexes of the chained audit: on PostgreSQL built before this, while everybody writes."""

import sqlalchemy as sa
from alembic import op

from domain.migrations.indexing import has_index

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_audit_waiting": ("(organisation_id, id)", "position IS NULL"),
    "uq_audit_position": ("(organisation_id, position)", "position IS NOT NULL"),
    "ix_audit_invoice": ("(organisation_id, invoice_id, id)", "invoice_id IS NOT NULL"),
    "ix_audit_before": ("(organisation_id, subject)", "invoice_id IS NULL AND action = 'link.reserve'"),
}


def upgrade() -> None:
    connection = op.get_bind()
    for name, (columns, those) in _INDEXES.items():
        # Asking PostgreSQL to make it if it isn't there would keep writers out for a moment even if it is.
        if connection.dialect.name == "sqlite" or not has_index(connection, name):
            unique = "UNIQUE " if name.startswith("uq_") else ""
            connection.execute(
                sa.text(f"CREATE {unique}INDEX IF NOT EXISTS {name} ON audit {columns} WHERE {those}")
            )
