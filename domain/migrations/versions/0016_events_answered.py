"""Which of Slack's events were answered. The version before answers none."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "heard_events",
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("event_id", sa.String(255), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_heard_events_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "event_id", name=op.f("pk_heard_events")),
        if_not_exists=True,
    )
