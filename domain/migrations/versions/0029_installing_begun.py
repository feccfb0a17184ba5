"""Who set out to install the app, until they come back or ten minutes are over."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "install_states",
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("browser", sa.String(64), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("state", name=op.f("pk_install_states")),
        if_not_exists=True,
    )
    op.create_index("ix_install_states_issued_at", "install_states", ["issued_at"], if_not_exists=True)
