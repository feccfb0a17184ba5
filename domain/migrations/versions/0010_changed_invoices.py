"""The invoices that were changed, in the order of their changes: on PostgreSQL built before this, while everybody writes."""

import sqlalchemy as sa
from alembic import op

from domain.migrations.indexing import has_index

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NAME = "ix_invoices_changed_at"


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql" and has_index(connection, _NAME):
        return
    changed = sa.text("changed_at IS NOT NULL")
    op.create_index(
        _NAME,
        "invoices",
        ["organisation_id", "changed_at", "id"],
        sqlite_where=changed,
        postgresql_where=changed,
        if_not_exists=True,
    )
