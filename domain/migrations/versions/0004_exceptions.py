"""Refunds and disputes with their states, exceptions that are worked off, messages in threads.

Nothing is moved: what the version before wrote, and still writes, is taken up by the bot.
On PostgreSQL the rows that are there are held against the new constraints by the next version, while everybody writes.
"""

import re
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly
from domain.migrations.redefining import correct_definition

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# In the order in which the bot's transactions come to them.
_TABLES = ("organisations", "ledgers", "invoices", "links", "payments", "payment_exceptions", "outbox")
_CHECKS = {
    "invoices": {"billing_state": "billing_state IN ('open', 'settled', 'void')"},
    "payment_exceptions": {
        "resolved": "(resolved_at IS NULL) = (resolved_by IS NULL)",
        "resolution": "length(resolution) <= 500",
    },
}
_KINDS = "kind IN ('paid', 'exception', 'bulk_result', 'channel_lost', 'follow_up', 'amounts_changed')"
_KEYS = {
    "payment_exceptions": {
        "organisation_id": "organisations",
        "invoice_id": "invoices",
        "payment_id": "payments",
        "reversal_id": "reversals",
    },
    "outbox": {"follows_id": "outbox"},
}


def upgrade() -> None:
    connection = op.get_bind()
    lock_briefly(connection, *_TABLES)
    _create_reversals()
    for table, columns in _columns().items():
        known = {column["name"] for column in sa.inspect(connection).get_columns(table)}
        for column in columns:
            if column.name not in known:
                op.add_column(table, column)
    open_ones = sa.text("resolved_at IS NULL")
    op.create_index(
        "ix_payment_exceptions_open",
        "payment_exceptions",
        ["organisation_id", "due_by", "seen_at"],
        sqlite_where=open_ones,
        postgresql_where=open_ones,
        if_not_exists=True,
    )
    for name in ("invoice_id", "payment_id", "reversal_id", "batch"):
        op.create_index(
            f"ix_payment_exceptions_{name}", "payment_exceptions", [name], unique=False, if_not_exists=True
        )
    if connection.dialect.name == "sqlite":
        for table in ("invoices", "payment_exceptions", "outbox"):
            correct_definition(connection, table, partial(_corrected, table))
    else:
        _constrain(connection)


def _columns() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "invoices": (sa.Column("billing_state", sa.String(10), server_default="open", nullable=False),),
        "links": (
            sa.Column("badges", sa.Text(), server_default="", nullable=False),
            sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
            sa.Column("rechecked_at", sa.BigInteger(), nullable=True),
        ),
        "payment_exceptions": (
            sa.Column("organisation_id", _ID, nullable=True),
            sa.Column("invoice_id", _ID, nullable=True),
            sa.Column("invoice_number", sa.String(255), nullable=True),
            sa.Column("payment_id", _ID, nullable=True),
            sa.Column("reversal_id", _ID, nullable=True),
            sa.Column("facts", sa.Text(), server_default="{}", nullable=False),
            sa.Column("batch", sa.String(64), nullable=True),
            sa.Column("due_by", sa.BigInteger(), nullable=True),
            sa.Column("resolved_at", sa.BigInteger(), nullable=True),
            sa.Column("resolved_by", sa.String(255), nullable=True),
            sa.Column("resolution", sa.Text(), nullable=True),
        ),
        "outbox": (
            sa.Column("follows_id", _ID, nullable=True),
            sa.Column("broadcast", sa.Boolean(), server_default=sa.false(), nullable=False),
            sa.Column("says", sa.String(20), nullable=True),
            sa.Column("batch", sa.String(64), nullable=True),
        ),
    }


def _create_reversals() -> None:
    op.create_table(
        "reversals",
        sa.Column("id", _ID, nullable=False),
        sa.Column("ledger_id", _ID, nullable=False),
        sa.Column("payment_id", _ID, nullable=False),
        sa.Column("stripe_id", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("due_by", sa.BigInteger(), nullable=True),
        sa.Column("submitted", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('refund', 'dispute')", name=op.f("ck_reversals_kind")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_reversals_amount")),
        sa.ForeignKeyConstraint(["ledger_id"], ["ledgers.id"], name=op.f("fk_reversals_ledger_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_reversals_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reversals")),
        sa.UniqueConstraint("ledger_id", "stripe_id", name=op.f("uq_reversals_ledger_id_stripe_id")),
        if_not_exists=True,
    )
    op.create_index("ix_reversals_payment_id", "reversals", ["payment_id"], unique=False, if_not_exists=True)


def _constrain(connection: sa.Connection) -> None:
    op.alter_column("payment_exceptions", "link_id", nullable=True)
    op.drop_constraint(op.f("ck_outbox_kind"), "outbox", type_="check", if_exists=True)
    for table, checks in {**_CHECKS, "outbox": {"kind": _KINDS}}.items():
        known = {check["name"] for check in sa.inspect(connection).get_check_constraints(table)}
        for name, condition in checks.items():
            if f"ck_{table}_{name}" not in known:
                op.create_check_constraint(
                    op.f(f"ck_{table}_{name}"), table, condition, postgresql_not_valid=True
                )
    for table, keys in _KEYS.items():
        known = {key["name"] for key in sa.inspect(connection).get_foreign_keys(table)}
        for column, target in keys.items():
            if f"fk_{table}_{column}" not in known:
                op.create_foreign_key(
                    op.f(f"fk_{table}_{column}"), table, target, [column], ["id"], postgresql_not_valid=True
                )


def _corrected(table: str, found: str) -> str:
    """The definition with its new constraints, which SQLite can add no other way."""
    if table == "payment_exceptions":
        found = found.replace("link_id INTEGER NOT NULL", "link_id INTEGER", 1)
    if table == "outbox":
        found = re.sub(r"CHECK \(kind IN \([^)]*\)\)", f"CHECK ({_KINDS})", found, count=1)
    added = [
        f"CONSTRAINT ck_{table}_{name} CHECK ({condition})"
        for name, condition in _CHECKS.get(table, {}).items()
    ] + [
        f"CONSTRAINT fk_{table}_{column} FOREIGN KEY({column}) REFERENCES {target} (id)"
        for column, target in _KEYS.get(table, {}).items()
    ]
    missing = [constraint for constraint in added if constraint.split()[1] not in found]
    end = found.rindex(")")
    return (
        found[:end].rstrip() + "".join(f", \n\t{constraint}" for constraint in missing) + "\n" + found[end:]
    )
