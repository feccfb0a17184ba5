"""Amounts of currencies that Stripe doesn't take, in the decimals of ISO 4217: versions before kept them with two.

Whatever this version writes has ``changed_at``, which those don't know: so nothing is counted twice, and what they write
meanwhile is known (domain/invoices/older_decimals.py). What has a link, which there shouldn't be, stays as it is.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_NOW = {
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
}


def upgrade() -> None:
    connection = op.get_bind()
    connection.execute(
        sa.text(
            f"""
            UPDATE invoices SET changed_at = {_NOW[connection.dialect.name]}, amount = CASE
                WHEN currency IN ('IQD', 'LYD') THEN amount * 10
                WHEN currency IN ('CLF', 'UYW') THEN amount * 100
                ELSE amount / 100 END
            WHERE currency IN ('IQD', 'LYD', 'CLF', 'UYW', 'UYI') AND changed_at IS NULL
            AND (currency <> 'UYI' OR amount % 100 = 0)
            AND NOT EXISTS (SELECT 1 FROM links WHERE links.invoice_id = invoices.id)
            """  # noqa: S608
        )
    )
