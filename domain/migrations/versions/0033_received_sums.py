"""Sums of what was received, by the hour, kept by triggers from now on, whichever version writes.

What there is by now is counted by the next version, which keeps nobody from writing on PostgreSQL.
"""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SUM = sa.Numeric(38, 0).with_variant(sa.BigInteger(), "sqlite")


def upgrade() -> None:
    connection = op.get_bind()
    lock_briefly(connection, "links")
    op.create_table(
        "received_sums",
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("ledger_id", _ID, nullable=False),
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("part", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("invoices", sa.BigInteger(), nullable=False),
        sa.Column("amount", _SUM, nullable=False),
        sa.PrimaryKeyConstraint(
            "organisation_id", "ledger_id", "hour", "currency", "part", name=op.f("pk_received_sums")
        ),
        if_not_exists=True,
        sqlite_with_rowid=False,
    )
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("CREATE SEQUENCE IF NOT EXISTS received_sums_part")
    for statement in _ON_SQLITE if connection.dialect.name == "sqlite" else _ON_POSTGRESQL:
        connection.exec_driver_sql(statement)


_ON_SQLITE = (
    """CREATE TRIGGER IF NOT EXISTS received_sums_added AFTER INSERT ON links BEGIN
    INSERT INTO received_sums (organisation_id, ledger_id, hour, currency, part, invoices, amount)
    SELECT NEW.organisation_id, NEW.ledger_id, NEW.paid_at / 3600000, NEW.currency, 0, 1, coalesce(NEW.amount_received, 0)
    WHERE NEW.status = 'Paid'
    ON CONFLICT (organisation_id, ledger_id, hour, currency, part) DO UPDATE SET
        invoices = invoices + excluded.invoices, amount = amount + excluded.amount;
END""",
    """CREATE TRIGGER IF NOT EXISTS received_sums_changed AFTER UPDATE OF organisation_id, ledger_id, status, paid_at, currency, amount_received ON links WHEN OLD.organisation_id IS NOT NEW.organisation_id OR OLD.ledger_id IS NOT NEW.ledger_id OR OLD.status IS NOT NEW.status OR OLD.paid_at IS NOT NEW.paid_at OR OLD.currency IS NOT NEW.currency OR OLD.amount_received IS NOT NEW.amount_received BEGIN
    INSERT INTO received_sums (organisation_id, ledger_id, hour, currency, part, invoices, amount)
    SELECT OLD.organisation_id, OLD.ledger_id, OLD.paid_at / 3600000, OLD.currency, 0, -1, -coalesce(OLD.amount_received, 0)
    WHERE OLD.status = 'Paid'
    ON CONFLICT (organisation_id, ledger_id, hour, currency, part) DO UPDATE SET
        invoices = invoices + excluded.invoices, amount = amount + excluded.amount;
    INSERT INTO received_sums (organisation_id, ledger_id, hour, currency, part, invoices, amount)
    SELECT NEW.organisation_id, NEW.ledger_id, NEW.paid_at / 3600000, NEW.currency, 0, 1, coalesce(NEW.amount_received, 0)
    WHERE NEW.status = 'Paid'
    ON CONFLICT (organisation_id, ledger_id, hour, currency, part) DO UPDATE SET
        invoices = invoices + excluded.invoices, amount = amount + excluded.amount;
END""",
    """CREATE TRIGGER IF NOT EXISTS received_sums_removed AFTER DELETE ON links BEGIN
    INSERT INTO received_sums (organisation_id, ledger_id, hour, currency, part, invoices, amount)
    SELECT OLD.organisation_id, OLD.ledger_id, OLD.paid_at / 3600000, OLD.currency, 0, -1, -coalesce(OLD.amount_received, 0)
    WHERE OLD.status = 'Paid'
    ON CONFLICT (organisation_id, ledger_id, hour, currency, part) DO UPDATE SET
        invoices = invoices + excluded.invoices, amount = amount + excluded.amount;
END""",
)
_ON_POSTGRESQL = (
    """CREATE OR REPLACE FUNCTION keep_received_sums() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO received_sums (organisation_id, ledger_id, hour, currency, part, invoices, amount)
        SELECT organisation_id, ledger_id, hour, currency, nextval('received_sums_part'), invoices, amount FROM (
            SELECT organisation_id AS organisation_id, ledger_id AS ledger_id, paid_at / 3600000 AS hour, currency AS currency,
                count(*) AS invoices, sum(coalesce(amount_received, 0)) AS amount
            FROM added WHERE status = 'Paid' GROUP BY 1, 2, 3, 4
        ) AS of_statement;
    ELSE
        IF OLD.status = 'Paid' THEN
            INSERT INTO received_sums (organisation_id, ledger_id, hour, currency, part, invoices, amount)
            VALUES (OLD.organisation_id, OLD.ledger_id, OLD.paid_at / 3600000, OLD.currency,
                nextval('received_sums_part'), -1, -coalesce(OLD.amount_received, 0));
        END IF;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NEW.status = 'Paid' THEN
            INSERT INTO received_sums (organisation_id, ledger_id, hour, currency, part, invoices, amount)
            VALUES (NEW.organisation_id, NEW.ledger_id, NEW.paid_at / 3600000, NEW.currency,
                nextval('received_sums_part'), 1, coalesce(NEW.amount_received, 0));
        END IF;
    END IF;
    RETURN NULL;
END $$""",
    "DROP TRIGGER IF EXISTS received_sums_added ON links",
    "DROP TRIGGER IF EXISTS received_sums_changed ON links",
    "DROP TRIGGER IF EXISTS received_sums_removed ON links",
    "CREATE TRIGGER received_sums_added AFTER INSERT ON links REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keep_received_sums()",
    "CREATE TRIGGER received_sums_changed AFTER UPDATE OF organisation_id, ledger_id, status, paid_at, currency, amount_received ON links FOR EACH ROW WHEN (OLD.organisation_id IS DISTINCT FROM NEW.organisation_id OR OLD.ledger_id IS DISTINCT FROM NEW.ledger_id OR OLD.status IS DISTINCT FROM NEW.status OR OLD.paid_at IS DISTINCT FROM NEW.paid_at OR OLD.currency IS DISTINCT FROM NEW.currency OR OLD.amount_received IS DISTINCT FROM NEW.amount_received) EXECUTE FUNCTION keep_received_sums()",
    "CREATE TRIGGER received_sums_removed AFTER DELETE ON links FOR EACH ROW EXECUTE FUNCTION keep_received_sums()",
)
