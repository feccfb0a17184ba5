"""What a number is one by, where that isn't simply its key (decision 0024).

The version before neither reads nor writes it; what it writes meanwhile is folded later (domain/invoices/numbers/folding.py).
"""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    if "identity" in {one["name"] for one in sa.inspect(connection).get_columns("invoices")}:
        return
    lock_briefly(connection, "invoices")
    bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("invoices", sa.Column("identity", bytewise, nullable=True))
