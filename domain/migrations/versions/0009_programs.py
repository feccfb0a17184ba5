"""Programs' tokens, the feed of what happened, and when an invoice was changed.

What the version before writes meanwhile is in no feed, and changes no invoice's moment.
"""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    connection = op.get_bind()
    if "changed_at" not in {one["name"] for one in sa.inspect(connection).get_columns("invoices")}:
        lock_briefly(connection, "invoices")
        op.add_column("invoices", sa.Column("changed_at", sa.BigInteger(), nullable=True))
    _create_tokens()
    _create_feed()


def _create_tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", _ID, nullable=False),
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("selector", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("rights", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_api_tokens_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("organisation_id", "name", name=op.f("uq_api_tokens_organisation_id_name")),
        sa.UniqueConstraint("selector", name=op.f("uq_api_tokens_selector")),
        if_not_exists=True,
    )


def _create_feed() -> None:
    op.create_table(
        "feed_events",
        sa.Column("id", _ID, nullable=False),
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("ledger_id", _ID, nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("invoice_number", sa.String(255), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("position", _ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_feed_events_organisation_id")
        ),
        sa.ForeignKeyConstraint(["ledger_id"], ["ledgers.id"], name=op.f("fk_feed_events_ledger_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_events")),
        sa.UniqueConstraint(
            "organisation_id", "subject", name=op.f("uq_feed_events_organisation_id_subject")
        ),
        sa.UniqueConstraint(
            "organisation_id", "position", name=op.f("uq_feed_events_organisation_id_position")
        ),
        if_not_exists=True,
    )
    waiting = sa.text("position IS NULL")
    op.create_index(
        "ix_feed_events_waiting",
        "feed_events",
        ["organisation_id", "id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
        if_not_exists=True,
    )
    op.create_index("ix_feed_events_at", "feed_events", ["at"], if_not_exists=True)
    op.create_table(
        "feed_heads",
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("numbered", _ID, nullable=False),
        sa.Column("deleted", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_feed_heads_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_feed_heads")),
        if_not_exists=True,
    )
