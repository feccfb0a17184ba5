"""The day of a list that was narrowed to what is overdue. The version before shows all in its place."""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    if "due_before" in {one["name"] for one in sa.inspect(connection).get_columns("selections")}:
        return
    lock_briefly(connection, "selections")
    op.add_column("selections", sa.Column("due_before", sa.Date(), nullable=True))
