"""Sums of what is owed and paid, kept by triggers from now on (decision 0028), whichever version writes.

What there is by now is counted by the first process of this version (domain/overview/sums.py): here it would keep
writers out for as long.
"""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SUM = sa.Numeric(38, 0).with_variant(sa.BigInteger(), "sqlite")


def upgrade() -> None:
    connection = op.get_bind()
    lock_briefly(connection, "invoices")
    op.create_table(
        "invoice_sums",
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("part", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("invoices", sa.BigInteger(), nullable=False),
        sa.Column("amount", _SUM, nullable=False),
        sa.PrimaryKeyConstraint(
            "organisation_id", "status", "currency", "due_date", "part", name=op.f("pk_invoice_sums")
        ),
        if_not_exists=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sum_checks",
        sa.Column("organisation_id", _ID, autoincrement=False, nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("corrections", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_sum_checks")),
        if_not_exists=True,
    )
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("CREATE SEQUENCE IF NOT EXISTS invoice_sums_part")
    for statement in _ON_SQLITE if connection.dialect.name == "sqlite" else _ON_POSTGRESQL:
        connection.exec_driver_sql(statement)
    # Organisations that are made from now on are counted from their first invoice on.
    connection.exec_driver_sql(
        "INSERT INTO sum_checks (organisation_id, checked_at, corrections) "
        "SELECT id, CAST(NULL AS BIGINT), 0 FROM organisations WHERE true ON CONFLICT DO NOTHING"
    )


_ON_SQLITE = (
    """CREATE TRIGGER IF NOT EXISTS invoice_sums_added AFTER INSERT ON invoices BEGIN
    INSERT INTO invoice_sums (organisation_id, status, currency, due_date, part, invoices, amount)
    SELECT NEW.organisation_id, NEW.status, NEW.currency, CASE WHEN NEW.status = 'Paid' THEN '9999-12-31' ELSE coalesce(NEW.due_date, '9999-12-31') END, 0, 1, NEW.amount
    WHERE (NEW.status = 'Paid' OR (NEW.billing_state = 'open' AND NEW.amount > 0))
    ON CONFLICT (organisation_id, status, currency, due_date, part) DO UPDATE SET
        invoices = invoices + excluded.invoices, amount = amount + excluded.amount;
END""",
    """CREATE TRIGGER IF NOT EXISTS invoice_sums_changed AFTER UPDATE OF organisation_id, status, billing_state, currency, due_date, amount ON invoices WHEN OLD.organisation_id IS NOT NEW.organisation_id OR OLD.status IS NOT NEW.status OR OLD.billing_state IS NOT NEW.billing_state OR OLD.currency IS NOT NEW.currency OR OLD.due_date IS NOT NEW.due_date OR OLD.amount IS NOT NEW.amount BEGIN
    INSERT INTO invoice_sums (organisation_id, status, currency, due_date, part, invoices, amount)
    SELECT OLD.organisation_id, OLD.status, OLD.currency, CASE WHEN OLD.status = 'Paid' THEN '9999-12-31' ELSE coalesce(OLD.due_date, '9999-12-31') END, 0, -1, -OLD.amount
    WHERE (OLD.status = 'Paid' OR (OLD.billing_state = 'open' AND OLD.amount > 0))
    ON CONFLICT (organisation_id, status, currency, due_date, part) DO UPDATE SET
        invoices = invoices + excluded.invoices, amount = amount + excluded.amount;
    INSERT INTO invoice_sums (organisation_id, status, currency, due_date, part, invoices, amount)
    SELECT NEW.organisation_id, NEW.status, NEW.currency, CASE WHEN NEW.status = 'Paid' THEN '9999-12-31' ELSE coalesce(NEW.due_date, '9999-12-31') END, 0, 1, NEW.amount
    WHERE (NEW.status = 'Paid' OR (NEW.billing_state = 'open' AND NEW.amount > 0))
    ON CONFLICT (organisation_id, status, currency, due_date, part) DO UPDATE SET
        invoices = invoices + excluded.invoices, amount = amount + excluded.amount;
END""",
    """CREATE TRIGGER IF NOT EXISTS invoice_sums_removed AFTER DELETE ON invoices BEGIN
    INSERT INTO invoice_sums (organisation_id, status, currency, due_date, part, invoices, amount)
    SELECT OLD.organisation_id, OLD.status, OLD.currency, CASE WHEN OLD.status = 'Paid' THEN '9999-12-31' ELSE coalesce(OLD.due_date, '9999-12-31') END, 0, -1, -OLD.amount
    WHERE (OLD.status = 'Paid' OR (OLD.billing_state = 'open' AND OLD.amount > 0))
    ON CONFLICT (organisation_id, status, currency, due_date, part) DO UPDATE SET
        invoices = invoices + excluded.invoices, amount = amount + excluded.amount;
END""",
)
_ON_POSTGRESQL = (
    """CREATE OR REPLACE FUNCTION keep_invoice_sums() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO invoice_sums (organisation_id, status, currency, due_date, part, invoices, amount)
        SELECT organisation_id, status, currency, due_date, nextval('invoice_sums_part'), invoices, amount FROM (
            SELECT organisation_id, status, currency, CAST(CASE WHEN status = 'Paid' THEN '9999-12-31' ELSE coalesce(due_date, '9999-12-31') END AS DATE) AS due_date,
                count(*) AS invoices, sum(amount) AS amount
            FROM added WHERE (status = 'Paid' OR (billing_state = 'open' AND amount > 0)) GROUP BY 1, 2, 3, 4
        ) AS of_statement;
    ELSE
        IF (OLD.status = 'Paid' OR (OLD.billing_state = 'open' AND OLD.amount > 0)) THEN
            INSERT INTO invoice_sums (organisation_id, status, currency, due_date, part, invoices, amount)
            VALUES (OLD.organisation_id, OLD.status, OLD.currency, CAST(CASE WHEN OLD.status = 'Paid' THEN '9999-12-31' ELSE coalesce(OLD.due_date, '9999-12-31') END AS DATE),
                nextval('invoice_sums_part'), -1, -OLD.amount);
        END IF;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.status = 'Paid' OR (NEW.billing_state = 'open' AND NEW.amount > 0)) THEN
            INSERT INTO invoice_sums (organisation_id, status, currency, due_date, part, invoices, amount)
            VALUES (NEW.organisation_id, NEW.status, NEW.currency, CAST(CASE WHEN NEW.status = 'Paid' THEN '9999-12-31' ELSE coalesce(NEW.due_date, '9999-12-31') END AS DATE),
                nextval('invoice_sums_part'), 1, NEW.amount);
        END IF;
    END IF;
    RETURN NULL;
END $$""",
    "DROP TRIGGER IF EXISTS invoice_sums_added ON invoices",
    "DROP TRIGGER IF EXISTS invoice_sums_changed ON invoices",
    "DROP TRIGGER IF EXISTS invoice_sums_removed ON invoices",
    "CREATE TRIGGER invoice_sums_added AFTER INSERT ON invoices REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keep_invoice_sums()",
    "CREATE TRIGGER invoice_sums_changed AFTER UPDATE OF organisation_id, status, billing_state, currency, due_date, amount ON invoices FOR EACH ROW WHEN (OLD.organisation_id IS DISTINCT FROM NEW.organisation_id OR OLD.status IS DISTINCT FROM NEW.status OR OLD.billing_state IS DISTINCT FROM NEW.billing_state OR OLD.currency IS DISTINCT FROM NEW.currency OR OLD.due_date IS DISTINCT FROM NEW.due_date OR OLD.amount IS DISTINCT FROM NEW.amount) EXECUTE FUNCTION keep_invoice_sums()",
    "CREATE TRIGGER invoice_sums_removed AFTER DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION keep_invoice_sums()",
)
