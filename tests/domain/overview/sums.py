"""What is kept of sums, and how it differs from a recount."""

from datetime import date, datetime
from typing import Any

import pytest

from domain.database import Database
from domain.files.import_exceptions import Importing
from domain.files.import_fields import ImportedInvoice
from domain.files.import_writing import write_rows
from domain.overview import sums
from domain.overview.summaries import Owed, Tally
from domain.scope import Scope
from tests.domain.factories import NOW, make_organisation

TODAY = date(2026, 12, 1)


@pytest.fixture
def organisation(db: Database) -> int:
    return make_organisation(db)


def owed(db: Database, organisation: int, today: date = TODAY) -> Owed | None:
    return db.run(sums.read, organisation, today)


def differences(db: Database, organisation: int) -> list[sums.Difference]:
    return db.run(sums.compare, organisation)


def row(number: int, **values: Any) -> ImportedInvoice:
    given: dict[str, Any] = {
        "line": number,
        "number": f"INV-{number}",
        "number_key": f"inv-{number}",
        "buyer_name": "Acme",
        "buyer_email": "",
        "amount": 100,
        "currency": "USD",
        "issue_date": None,
        "due_date": None,
        "description": "",
    }
    return ImportedInvoice(**given | values)


def write(db: Database, organisation: int, *rows: ImportedInvoice) -> None:
    db.run(write_rows, organisation, list(rows), {}, Importing("batch", NOW))


def received(db: Database, ledger: int, now: datetime) -> Tally:
    return db.run(sums.read_received, Scope(1, ledger, livemode=False), now)
