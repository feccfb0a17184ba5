"""Whose a key is, what Stripe told and doesn't show yet, how far its events were read, what it sends in vain, and which details are open.

Versions before leave all of it empty, and ask as they did.
"""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _add_columns()
    op.create_table(
        "unused_events",
        sa.Column("ledger_id", _ID, nullable=False),
        sa.Column("type", sa.String(100), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["ledger_id"], ["ledgers.id"], name=op.f("fk_unused_events_ledger_id")),
        sa.PrimaryKeyConstraint("ledger_id", "type", name=op.f("pk_unused_events")),
        if_not_exists=True,
    )
    op.create_table(
        "open_views",
        sa.Column("view_id", sa.String(255), nullable=False),
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("invoice_id", _ID, nullable=False),
        sa.Column("carried", sa.Text(), nullable=False),
        sa.Column("shown", sa.String(64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_open_views_organisation_id")
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_open_views_invoice_id")),
        sa.PrimaryKeyConstraint("view_id", name=op.f("pk_open_views")),
        if_not_exists=True,
    )
    op.create_index("ix_open_views_until", "open_views", ["until"], unique=False, if_not_exists=True)


def _add_columns() -> None:
    connection = op.get_bind()
    added: tuple[tuple[str, sa.Column[int] | sa.Column[str]], ...] = (
        ("ledgers", sa.Column("key_digest", sa.String(64), nullable=True)),
        ("ledgers", sa.Column("polled_until", sa.BigInteger(), nullable=True)),
        ("stripe_events", sa.Column("waits_for", sa.String(20), nullable=True)),
    )
    known = sa.inspect(connection)
    missing = [
        (table, column)
        for table, column in added
        if column.name not in {one["name"] for one in known.get_columns(table)}
    ]
    if missing:
        lock_briefly(connection, "ledgers", "stripe_events")
    for table, column in missing:
        op.add_column(table, column)
