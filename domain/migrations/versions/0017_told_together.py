"""Paid messages that are told in another one's.

While they are, versions before see them as being sent by somebody and leave them alone.
"""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    connection = op.get_bind()
    there = {column["name"] for column in sa.inspect(connection).get_columns("outbox")}
    lock_briefly(connection, "outbox")
    for name, kind in (("told_by_id", _ID), ("told_in_attempt", sa.Integer())):
        if name not in there:
            op.add_column("outbox", sa.Column(name, kind, nullable=True))
