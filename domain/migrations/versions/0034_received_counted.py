"""What was received before the triggers of 0033 were there.

What is kept is compared with what is, in one statement and so as of one moment: whatever is written meanwhile changes both
sides alike.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    differences = """
        SELECT organisation_id, ledger_id, hour, currency, sum(invoices) AS invoices, sum(amount) AS amount FROM (
            SELECT organisation_id, ledger_id, paid_at / 3600000 AS hour, currency,
                1 AS invoices, coalesce(amount_received, 0) AS amount
            FROM links WHERE status = 'Paid'
            UNION ALL
            SELECT organisation_id, ledger_id, hour, currency, -invoices, -amount FROM received_sums
        ) AS both_ways
        GROUP BY organisation_id, ledger_id, hour, currency HAVING sum(invoices) <> 0 OR sum(amount) <> 0
        """
    part = "0" if sqlite else "nextval('received_sums_part')"
    adding = f"""
        INSERT INTO received_sums (organisation_id, ledger_id, hour, currency, part, invoices, amount)
        SELECT organisation_id, ledger_id, hour, currency, {part}, invoices, amount FROM ({differences}) AS differences
        WHERE true
        ON CONFLICT (organisation_id, ledger_id, hour, currency, part) DO UPDATE SET
            invoices = received_sums.invoices + excluded.invoices, amount = received_sums.amount + excluded.amount
        """  # noqa: S608 - of words that stand here
    connection.execute(sa.text(adding))
