"""What each organisation's administrators have set. The version before knows nothing of it, and lets everybody do everything."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "organisation_settings",
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("creators", sa.String(10), server_default="everyone", nullable=False),
        sa.Column("chosen_people", sa.Text(), server_default="", nullable=False),
        sa.Column("user_group", sa.String(255), nullable=True),
        sa.Column("administrators", sa.Text(), server_default="", nullable=False),
        sa.Column("told_of_exceptions", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.String(20), server_default="en", nullable=False),
        sa.Column("zone", sa.String(64), server_default="UTC", nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_organisation_settings_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_organisation_settings")),
        if_not_exists=True,
    )
