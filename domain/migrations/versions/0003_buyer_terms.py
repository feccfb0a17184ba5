"""Search terms of short buyer names once for each name (decision 0016).

What the versions before wrote stays found by the terms that it has. What this one writes, they find by its number.
"""

import sqlalchemy as sa
from alembic import op

from domain.migrations.indexing import has_index

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_SHORT = sa.text("length(buyer_name) < 60")


def upgrade() -> None:
    op.create_table(
        "buyer_terms",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("term", _BYTEWISE, nullable=False),
        sa.Column("buyer_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "term", "buyer_name", name=op.f("pk_buyer_terms")),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    op.create_index("ix_buyer_terms_buyer_name", "buyer_terms", ["buyer_name", "term"], if_not_exists=True)
    # Asking PostgreSQL to make it if it isn't there would keep writers out for a moment even if it is.
    connection = op.get_bind()
    if connection.dialect.name == "sqlite" or not has_index(connection, "ix_invoices_buyer_name"):
        op.create_index(
            "ix_invoices_buyer_name",
            "invoices",
            ["organisation_id", "buyer_name", "status", "position"],
            postgresql_include=["id"],
            sqlite_where=_SHORT,
            postgresql_where=_SHORT,
            if_not_exists=True,
        )
