"""What is owed and how much is paid, kept as sums by the database itself: triggers write with every change of an invoice.

So it is kept whoever writes, a version before among them (decision 0028).
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, Connection, Date, Numeric, Sequence, String, Table, event
from sqlalchemy.orm import Mapped, mapped_column

from domain.models.base import STATUS, Base, Id, Instant
from domain.models.invoices import Invoice
from domain.states import LinkStatus

NO_DUE_DATE = date(9999, 12, 31)
# More than 64 bits hold, if every amount were as large as it may be.
_SUM = Numeric(38, 0).with_variant(BigInteger(), "sqlite")


class InvoiceSum(Base):
    """A part of how many invoices there are of a status, a currency and a due date, and of what they come to.

    Counted are those that are owed (open, over more than nothing) and those that are Paid, whose due date is NO_DUE_DATE.
    What there is of a key is the sum of its parts: SQLite, where one writes at a time, has one; on PostgreSQL each
    change is a part of its own, so that nobody waits, and parts are put together later (domain/overview/sums.py).
    """

    __tablename__ = "invoice_sums"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - as SQLAlchemy reads it

    organisation_id: Mapped[int] = mapped_column(Id, primary_key=True)
    status: Mapped[LinkStatus] = mapped_column(STATUS, primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    due_date: Mapped[date] = mapped_column(Date, primary_key=True)
    part: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    invoices: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(_SUM)


class SumCheck(Base):
    """When an organisation's sums were last compared with its invoices. None: they were never counted, and don't tell
    anything yet. ``corrections`` counts the comparisons, so that two at once don't both mend what they saw."""

    __tablename__ = "sum_checks"

    organisation_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    checked_at: Mapped[datetime | None] = mapped_column(Instant)
    corrections: Mapped[int] = mapped_column(default=0)


PARTS = Sequence("invoice_sums_part", metadata=Base.metadata)

_KEY = "organisation_id, status, currency, due_date"


def counted(row: str = "") -> str:
    """In SQL, of an invoice: that it is counted. ``row``: what its columns stand behind, such as ``NEW.``."""
    return f"({row}status = 'Paid' OR ({row}billing_state = 'open' AND {row}amount > 0))"


def due(row: str = "") -> str:
    """In SQL, of an invoice that is counted: the due date of its sum."""
    return f"CASE WHEN {row}status = 'Paid' THEN '9999-12-31' ELSE coalesce({row}due_date, '9999-12-31') END"


def _sqlite(name: str, when: str, *signed: tuple[str, str]) -> str:
    adding = "".join(
        f"""
    INSERT INTO invoice_sums ({_KEY}, part, invoices, amount)
    SELECT {row}organisation_id, {row}status, {row}currency, {due(row)}, 0, {sign}1, {sign}{row}amount
    WHERE {counted(row)}
    ON CONFLICT ({_KEY}, part) DO UPDATE SET
        invoices = invoices + excluded.invoices, amount = amount + excluded.amount;"""
        for row, sign in signed
    )
    return f"CREATE TRIGGER IF NOT EXISTS {name} {when} BEGIN{adding}\nEND"


_COLUMNS = ("organisation_id", "status", "billing_state", "currency", "due_date", "amount")
_UPDATED = f"AFTER UPDATE OF {', '.join(_COLUMNS)} ON invoices"


def _differ(distinct: str) -> str:
    return " OR ".join(f"OLD.{column} {distinct} NEW.{column}" for column in _COLUMNS)


ON_SQLITE = (
    _sqlite("invoice_sums_added", "AFTER INSERT ON invoices", ("NEW.", "")),
    _sqlite("invoice_sums_changed", f"{_UPDATED} WHEN {_differ('IS NOT')}", ("OLD.", "-"), ("NEW.", "")),
    _sqlite("invoice_sums_removed", "AFTER DELETE ON invoices", ("OLD.", "-")),
)


def _postgresql(row: str, sign: str) -> str:
    return f"""
        IF {counted(row)} THEN
            INSERT INTO invoice_sums ({_KEY}, part, invoices, amount)
            VALUES ({row}organisation_id, {row}status, {row}currency, CAST({due(row)} AS DATE),
                nextval('invoice_sums_part'), {sign}1, {sign}{row}amount);
        END IF;"""  # noqa: S608


ON_POSTGRESQL = (
    # Whoever restores rows alone does so without a search path.
    f"""
CREATE OR REPLACE FUNCTION keep_invoice_sums() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO invoice_sums ({_KEY}, part, invoices, amount)
        SELECT {_KEY}, nextval('invoice_sums_part'), invoices, amount FROM (
            SELECT organisation_id, status, currency, CAST({due()} AS DATE) AS due_date,
                count(*) AS invoices, sum(amount) AS amount
            FROM added WHERE {counted()} GROUP BY 1, 2, 3, 4
        ) AS of_statement;
    ELSE{_postgresql("OLD.", "-")}
    END IF;
    IF TG_OP = 'UPDATE' THEN{_postgresql("NEW.", "")}
    END IF;
    RETURN NULL;
END $$""",  # noqa: S608
    *(f"DROP TRIGGER IF EXISTS invoice_sums_{name} ON invoices" for name in ("added", "changed", "removed")),
    # Once for all rows of an import's chunk.
    "CREATE TRIGGER invoice_sums_added AFTER INSERT ON invoices REFERENCING NEW TABLE AS added "
    "FOR EACH STATEMENT EXECUTE FUNCTION keep_invoice_sums()",
    f"CREATE TRIGGER invoice_sums_changed {_UPDATED} FOR EACH ROW WHEN ({_differ('IS DISTINCT FROM')}) "
    "EXECUTE FUNCTION keep_invoice_sums()",
    "CREATE TRIGGER invoice_sums_removed AFTER DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION keep_invoice_sums()",
)


@event.listens_for(Invoice.__table__, "after_create")
def _make_triggers(_table: Table, connection: Connection, **_: object) -> None:
    """They write to a table that is made after this one, which both databases look for when they write."""
    for statement in ON_SQLITE if connection.dialect.name == "sqlite" else ON_POSTGRESQL:
        connection.exec_driver_sql(statement)
