"""Sample invoices by the million, the same ones every time, and the two bots' databases filled with them.

Numbers run on and due dates follow them, as a company's do; of 20,000 buyers every second is a Corporation, one in
thirteen begins with an a. A fifth of the invoices are paid, the oldest first; a twentieth wait for payment.
"""

import csv
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks import obvious_bot
from domain.database import Database
from domain.files.import_fields import COLUMNS
from domain.migrations import upgrade
from domain.organisations import organisations
from domain.stripe.client import digest_of
from domain.stripe.ledgers.opening import open_ledger
from domain.summaries import OrganisationSummary
from sandbox.stripe.worlds import DEFAULT_ACCOUNT, DEFAULT_KEY

TEAM = "T0PAYLINK1"
CHANNEL = "C0PAYMENTS"
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
BUYERS = 20_000
DAYS = 730
_FIRST = (
    "Amber Birch Copper Dune Ember Fjord Granite Harbour Iron Juniper Kestrel Lantern Maple Northwind Oak Pine Quartz "
    "River Saltmarsh Thistle Umber Vale Willow Yarrow Zephyr Aster"
).split()
_SECOND = (
    "Joinery Roasters Logistics Dental Bakery Foundry Print Studio Theatre Surveyors Seeds Optics".split()
)
_THIRD = ("Corporation", "Ltd", "Corporation", "GmbH", "Corporation", "Inc")


def buyer(number: int) -> str:
    first, second = _FIRST[number % len(_FIRST)], _SECOND[number // 7 % len(_SECOND)]
    return f"{first} {second} {number} {_THIRD[number % len(_THIRD)]}"


def lines(count: int) -> Iterator[tuple[str, ...]]:
    """Lines of an import file, in the order of its columns."""
    chance = random.Random(count)
    begin = date(2025, 6, 1)
    for index in range(count):
        of = chance.randrange(BUYERS)
        issued = begin + timedelta(days=index * DAYS // count)
        due = issued + timedelta(days=chance.choice((14, 30, 30, 45)))
        # One in twenty-five can't have a link: a credit note.
        amount = f"{chance.randrange(100, 900_000) / 100:.2f}" if index % 25 else "-15.00"
        yield (
            number(index),
            buyer(of),
            f"ap{of}@buyer.example",
            amount,
            "USD",
            issued.isoformat(),
            due.isoformat(),
            "Consulting",
        )


def number(index: int) -> str:
    return f"INV-{index:07d}"


def write_csv(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(lines(count))


def paid_and_pending(count: int) -> tuple[range, range]:
    """Which invoices have been paid, and which wait: by their index."""
    return range(count // 5), range(count // 5, count // 4)


def prepare_paylink(url: str) -> None:
    """Schema and organisation."""
    db = Database(url)
    try:
        upgrade(db.engine)
        db.run(_organisation)
    finally:
        db.close_now()


def add_links(url: str, count: int, waiting: int | None = None) -> None:
    """The links of an organisation whose ``count`` invoices are there; or only those of its first ``waiting`` invoices,
    which wait for payment if they can have a link."""
    db = Database(url)
    try:
        db.run(_add_links, count, waiting)
        settle(db.engine)
    finally:
        db.close_now()


def fill_obvious(url: str, count: int) -> None:
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            obvious_bot.make_tables(connection)
            paid, pending = paid_and_pending(count)
            invoices = [
                (index, *line[:3], round(float(line[3]) * 100), line[4], line[6])
                for index, line in enumerate(lines(count))
            ]
            _insert(
                connection,
                "bills",
                ("id", "number", "buyer", "email", "amount", "currency", "due_date"),
                invoices,
            )
            links = [
                (index, f"plink_{index}", f"https://buy.stripe.com/test_{index}", index in paid)
                for index in (*paid, *pending)
                if index % 25
            ]
            _insert(connection, "payment_links", ("bill_id", "stripe_id", "url", "paid"), links)
        settle(engine)
    finally:
        engine.dispose()


def settle(engine: sa.Engine) -> None:
    """What PostgreSQL does by itself after a while; SQLite gathers no statistics unless it is told to."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
            # Else it goes on writing what was imported, for minutes and beside all that is measured.
            connection.exec_driver_sql("CHECKPOINT")


def _organisation(session: Session) -> OrganisationSummary:
    return organisations.ensure(session, TEAM, "Benchmark", CHANNEL)


def _add_links(session: Session, count: int, waiting: int | None) -> None:
    """Statements over many rows: what the bot itself would make in days, one by one."""
    organisation_id = session.scalar(sa.text("SELECT id FROM organisations")) or 0
    # The local Stripe's own account: in the ledger of an unknown one they would be watched by nobody.
    ledger_id = open_ledger(
        session, organisation_id, False, DEFAULT_ACCOUNT, NOW, key_digest=digest_of(DEFAULT_KEY)
    )
    at = int(NOW.timestamp() * 1000)
    paid, pending = paid_and_pending(count) if waiting is None else (range(0), range(waiting))
    for status, indexes in (("Paid", paid), ("Pending Payment", pending)):
        is_paid = status == "Paid"
        values = {
            "ledger": ledger_id,
            "status": status,
            "low": number(indexes.start).lower(),
            "high": number(indexes.stop).lower(),
            "at": at,
            "paid_at": at if is_paid else None,
        }
        session.execute(sa.text(_LINKS), values | {"no": False, "is_paid": is_paid})
        session.execute(sa.text(_PLACES), values)


_CHOSEN = "FROM invoices WHERE number_key >= :low AND number_key < :high AND amount > 0"
_LINKS = f"""
INSERT INTO links (organisation_id, invoice_id, ledger_id, state, status, amount, currency, reference, idempotency_key,
    request, api_version, requested_by, reserved_at, attempts, next_attempt_at, look_first, stripe_id, url, created_at,
    changed_at, paid_at, amount_received, stripe_payment, refunded, disputed, exception)
SELECT organisation_id, id, :ledger, 'created', :status, amount, currency, 'reference-' || id, 'key-' || id,
    '{{}}', '2026-01-01', 'U0ANNA', :at, 1, :at, :no, 'plink_' || id, 'https://buy.stripe.com/test_' || id, :at,
    :at + id, :paid_at, CASE WHEN :is_paid THEN amount END, CASE WHEN :is_paid THEN 'pi_' || id END, :no, :no, :no
{_CHOSEN}"""
_PLACES = f"""
UPDATE invoices SET status = :status, position = '1' || substr(position, 2)
WHERE id IN (SELECT id {_CHOSEN})"""


def _insert(
    connection: sa.Connection, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> None:
    names = ", ".join(columns)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})", rows
        )
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
