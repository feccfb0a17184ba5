"""How a refund or dispute stands as its event says. The version before writes nothing there: such events say nothing."""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    if "status" in {one["name"] for one in sa.inspect(connection).get_columns("stripe_events")}:
        return
    lock_briefly(connection, "stripe_events")
    op.add_column("stripe_events", sa.Column("status", sa.String(40), nullable=True))
