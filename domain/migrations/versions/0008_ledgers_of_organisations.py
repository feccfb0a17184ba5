"""Each organisation's current ledger (decision 0020).

Versions before go by the one ledger that is marked as current, for all organisations: it stays marked.
"""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    if "ledger_id" in {one["name"] for one in sa.inspect(connection).get_columns("organisations")}:
        return
    lock_briefly(connection, "organisations")
    op.add_column(
        "organisations",
        sa.Column("ledger_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
    )
    op.execute("UPDATE organisations SET ledger_id = (SELECT id FROM ledgers WHERE current)")
