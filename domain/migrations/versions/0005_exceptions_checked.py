"""What 0004 demands holds for the rows that were there, too. It looks through the tables while everybody writes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CONSTRAINTS = {
    "invoices": ("ck_invoices_billing_state",),
    "payment_exceptions": (
        "ck_payment_exceptions_resolved",
        "ck_payment_exceptions_resolution",
        "fk_payment_exceptions_organisation_id",
        "fk_payment_exceptions_invoice_id",
        "fk_payment_exceptions_payment_id",
        "fk_payment_exceptions_reversal_id",
    ),
    "outbox": ("ck_outbox_kind", "fk_outbox_follows_id"),
}


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        return
    for table, names in _CONSTRAINTS.items():
        for name in names:
            connection.execute(sa.text(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))
