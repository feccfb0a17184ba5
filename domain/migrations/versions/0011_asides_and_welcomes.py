"""Messages that others may overtake, and who was welcomed.

The version before overtakes nothing and welcomes nobody.
"""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    connection = op.get_bind()
    if "stands_aside" not in {one["name"] for one in sa.inspect(connection).get_columns("outbox")}:
        lock_briefly(connection, "outbox")
        op.add_column(
            "outbox", sa.Column("stands_aside", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    op.create_table(
        "welcomes",
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_welcomes_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "user_id", name=op.f("pk_welcomes")),
        if_not_exists=True,
    )
