"""Whose Home is open, so that any process looks after it, and one that begins anew as well."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "open_homes",
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("shown", sa.String(64), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_open_homes_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organisation_id", "user_id", name=op.f("pk_open_homes")),
        if_not_exists=True,
    )
    op.create_index("ix_open_homes_until", "open_homes", ["until"], if_not_exists=True)
