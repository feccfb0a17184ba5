"""What is owed, how much is paid and what was received, kept as sums by the database itself: triggers write with every
change of an invoice or a link.

So it is kept whoever writes, a version before among them (decision 0028).
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import BigInteger, Connection, Date, Numeric, Sequence, String, Table, event
from sqlalchemy.orm import Mapped, mapped_column

from domain.models.base import STATUS, Base, Id, Instant
from domain.models.invoices import Invoice
from domain.models.links import Link
from domain.states import LinkStatus

NO_DUE_DATE = date(9999, 12, 31)
HOUR = 3_600_000
"""In Instants."""
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


class ReceivedSum(Base):
    """A part of how many invoices were paid in an hour, by the ledger and the currency of their links, and of what was
    received for them. Hours are counted from 1970; those that nobody asks for any more are erased."""

    __tablename__ = "received_sums"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - as SQLAlchemy reads it

    organisation_id: Mapped[int] = mapped_column(Id, primary_key=True)
    ledger_id: Mapped[int] = mapped_column(Id, primary_key=True)
    hour: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
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


@dataclass(frozen=True)
class Kept:
    """In SQL, how sums are kept. ``{0}`` is what a row's columns stand behind, such as ``NEW.``."""

    table: str
    source: str
    """What is added up: one of each row that is counted."""
    columns: tuple[str, ...]
    """What of it matters."""
    counted: str
    key: tuple[tuple[str, str], ...]
    """Each column of the sum's key, and what it is of a row."""
    amount: str
    dates: frozenset[str] = frozenset()
    """Columns that PostgreSQL has to be told are dates."""

    @property
    def names(self) -> str:
        return ", ".join(name for name, _ in self.key)

    def values(self, row: str = "", *, as_dates: bool = False) -> list[str]:
        return [
            f"CAST({value.format(row)} AS DATE)" if as_dates and name in self.dates else value.format(row)
            for name, value in self.key
        ]


OWED = Kept(
    "invoice_sums",
    "invoices",
    ("organisation_id", "status", "billing_state", "currency", "due_date", "amount"),
    "({0}status = 'Paid' OR ({0}billing_state = 'open' AND {0}amount > 0))",
    (
        ("organisation_id", "{0}organisation_id"),
        ("status", "{0}status"),
        ("currency", "{0}currency"),
        (
            "due_date",
            "CASE WHEN {0}status = 'Paid' THEN '9999-12-31' ELSE coalesce({0}due_date, '9999-12-31') END",
        ),
    ),
    "{0}amount",
    frozenset({"due_date"}),
)
RECEIVED = Kept(
    "received_sums",
    "links",
    ("organisation_id", "ledger_id", "status", "paid_at", "currency", "amount_received"),
    "{0}status = 'Paid'",
    (
        ("organisation_id", "{0}organisation_id"),
        ("ledger_id", "{0}ledger_id"),
        ("hour", f"{{0}}paid_at / {HOUR}"),
        ("currency", "{0}currency"),
    ),
    "coalesce({0}amount_received, 0)",
)
ALL_KEPT = (OWED, RECEIVED)
PARTS = tuple(Sequence(f"{kept.table}_part", metadata=Base.metadata) for kept in ALL_KEPT)


def _differ(kept: Kept, distinct: str) -> str:
    return " OR ".join(f"OLD.{column} {distinct} NEW.{column}" for column in kept.columns)


def _updated(kept: Kept) -> str:
    return f"AFTER UPDATE OF {', '.join(kept.columns)} ON {kept.source}"


def on_sqlite(kept: Kept) -> tuple[str, ...]:
    """The triggers."""

    def adding(row: str, sign: str) -> str:
        return f"""
    INSERT INTO {kept.table} ({kept.names}, part, invoices, amount)
    SELECT {", ".join(kept.values(row))}, 0, {sign}1, {sign}{kept.amount.format(row)}
    WHERE {kept.counted.format(row)}
    ON CONFLICT ({kept.names}, part) DO UPDATE SET
        invoices = invoices + excluded.invoices, amount = amount + excluded.amount;"""

    def trigger(name: str, when: str, *signed: tuple[str, str]) -> str:
        does = "".join(adding(row, sign) for row, sign in signed)
        return f"CREATE TRIGGER IF NOT EXISTS {kept.table}_{name} {when} BEGIN{does}\nEND"

    changed = f"{_updated(kept)} WHEN {_differ(kept, 'IS NOT')}"
    return (
        trigger("added", f"AFTER INSERT ON {kept.source}", ("NEW.", "")),
        trigger("changed", changed, ("OLD.", "-"), ("NEW.", "")),
        trigger("removed", f"AFTER DELETE ON {kept.source}", ("OLD.", "-")),
    )


def on_postgresql(kept: Kept) -> tuple[str, ...]:
    """The triggers, and their function."""

    def adding(row: str, sign: str) -> str:
        return f"""
        IF {kept.counted.format(row)} THEN
            INSERT INTO {kept.table} ({kept.names}, part, invoices, amount)
            VALUES ({", ".join(kept.values(row, as_dates=True))},
                nextval('{kept.table}_part'), {sign}1, {sign}{kept.amount.format(row)});
        END IF;"""  # noqa: S608

    named = ", ".join(
        f"{value} AS {name}" for value, (name, _) in zip(kept.values(as_dates=True), kept.key, strict=True)
    )
    function = f"keep_{kept.table}()"
    return (
        # Whoever restores rows alone does so without a search path.
        f"""
CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO {kept.table} ({kept.names}, part, invoices, amount)
        SELECT {kept.names}, nextval('{kept.table}_part'), invoices, amount FROM (
            SELECT {named},
                count(*) AS invoices, sum({kept.amount.format("")}) AS amount
            FROM added WHERE {kept.counted.format("")} GROUP BY {", ".join(map(str, range(1, len(kept.key) + 1)))}
        ) AS of_statement;
    ELSE{adding("OLD.", "-")}
    END IF;
    IF TG_OP = 'UPDATE' THEN{adding("NEW.", "")}
    END IF;
    RETURN NULL;
END $$""",  # noqa: S608
        *(
            f"DROP TRIGGER IF EXISTS {kept.table}_{name} ON {kept.source}"
            for name in ("added", "changed", "removed")
        ),
        # Once for all rows of an import's chunk.
        f"CREATE TRIGGER {kept.table}_added AFTER INSERT ON {kept.source} REFERENCING NEW TABLE AS added "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}",
        f"CREATE TRIGGER {kept.table}_changed {_updated(kept)} FOR EACH ROW "
        f"WHEN ({_differ(kept, 'IS DISTINCT FROM')}) EXECUTE FUNCTION {function}",
        f"CREATE TRIGGER {kept.table}_removed AFTER DELETE ON {kept.source} FOR EACH ROW EXECUTE FUNCTION {function}",
    )


def _make_triggers(kept: Kept, connection: Connection) -> None:
    """They write to a table that is made after this one, which both databases look for when they write."""
    for statement in (on_sqlite if connection.dialect.name == "sqlite" else on_postgresql)(kept):
        connection.exec_driver_sql(statement)


@event.listens_for(Invoice.__table__, "after_create")
def _of_invoices(_table: Table, connection: Connection, **_: object) -> None:
    _make_triggers(OWED, connection)


@event.listens_for(Link.__table__, "after_create")
def _of_links(_table: Table, connection: Connection, **_: object) -> None:
    _make_triggers(RECEIVED, connection)
