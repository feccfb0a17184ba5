"""When somebody of an organisation first used /invoice, by which Home knows that the last step of setting up is done. Organisations
that there are need no such step. The version before writes none: until it is gone the step may stay open a little longer."""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    if "tried_at" in {one["name"] for one in sa.inspect(connection).get_columns("organisations")}:
        return
    lock_briefly(connection, "organisations")
    op.add_column("organisations", sa.Column("tried_at", sa.BigInteger(), nullable=True))
    op.execute(sa.text("UPDATE organisations SET tried_at = 0"))
