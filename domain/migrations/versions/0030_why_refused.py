"""Stripe's code with which it refused a link, by which it is known whether trying again can help. The version before writes none:
what it was refused may be tried again."""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    if "refusal_code" in {one["name"] for one in sa.inspect(connection).get_columns("links")}:
        return
    lock_briefly(connection, "links")
    op.add_column("links", sa.Column("refusal_code", sa.String(100), nullable=True))
