"""An index by which Home finds the last imports of whoever reads it."""

from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # There are as many rows as files were ever brought in.
    lock_briefly(op.get_bind(), "file_imports")
    op.create_index(
        "ix_file_imports_organisation_id_user_id_id",
        "file_imports",
        ["organisation_id", "user_id", "id"],
        if_not_exists=True,
    )
