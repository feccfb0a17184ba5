"""Files that people bring in, what is remembered of their headings, and the message about one.

Versions before know nothing of them. While such a message waits they deliver nothing: this version does.
"""

import re

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly
from domain.migrations.redefining import correct_definition

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KINDS = (
    "kind IN ('paid', 'exception', 'bulk_result', 'channel_lost', 'follow_up', 'amounts_changed', "
    "'import_result')"
)
_KEY = "fk_outbox_import_id"


def upgrade() -> None:
    connection = op.get_bind()
    lock_briefly(connection, "organisations", "outbox")
    _create_file_imports()
    _create_known_headings()
    if "import_id" not in {column["name"] for column in sa.inspect(connection).get_columns("outbox")}:
        op.add_column("outbox", sa.Column("import_id", _ID, nullable=True))
    if connection.dialect.name == "sqlite":
        correct_definition(connection, "outbox", _corrected)
        return
    op.drop_constraint(op.f("ck_outbox_kind"), "outbox", type_="check", if_exists=True)
    op.create_check_constraint(op.f("ck_outbox_kind"), "outbox", _KINDS, postgresql_not_valid=True)
    if _KEY not in {key["name"] for key in sa.inspect(connection).get_foreign_keys("outbox")}:
        op.create_foreign_key(
            op.f(_KEY), "outbox", "file_imports", ["import_id"], ["id"], postgresql_not_valid=True
        )


def _create_file_imports() -> None:
    op.create_table(
        "file_imports",
        sa.Column("id", _ID, nullable=False),
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("brought_at", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.String(64), nullable=False),
        sa.Column("previewed", sa.Text(), nullable=False),
        sa.Column("view_id", sa.String(255), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("done", "new", "changed", "unchanged")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("bad", "left_out", "attempts")),
        sa.Column("owner", sa.String(64), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("refused", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "state IN ('previewed', 'confirmed', 'finished', 'failed')", name=op.f("ck_file_imports_state")
        ),
        sa.CheckConstraint(
            "state != 'confirmed' OR content IS NOT NULL", name=op.f("ck_file_imports_content")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_file_imports_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_imports")),
        if_not_exists=True,
    )
    op.create_index(
        "ix_file_imports_state_brought_at",
        "file_imports",
        ["state", "brought_at"],
        unique=False,
        if_not_exists=True,
    )


def _create_known_headings() -> None:
    op.create_table(
        "known_headings",
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("heading", sa.String(64), nullable=False),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.Column("said_by", sa.String(255), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_known_headings_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "heading", name=op.f("pk_known_headings")),
        if_not_exists=True,
    )


def _corrected(found: str) -> str:
    """The definition of the outbox with its new constraints, which SQLite can be given no other way."""
    found = re.sub(r"CHECK \(kind IN \([^)]*\)\)", f"CHECK ({_KINDS})", found, count=1)
    if _KEY in found:
        return found
    end = found.rindex(")")
    key = f"CONSTRAINT {_KEY} FOREIGN KEY(import_id) REFERENCES file_imports (id)"
    return f"{found[:end].rstrip()}, \n\t{key}\n{found[end:]}"
