"""Whether the webhook or a poll brought an event of Stripe's. The version before writes neither."""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    if "delivered" in {one["name"] for one in sa.inspect(connection).get_columns("stripe_events")}:
        return
    lock_briefly(connection, "stripe_events")
    op.add_column("stripe_events", sa.Column("delivered", sa.Boolean(), nullable=True))
