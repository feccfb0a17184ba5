from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.files import importing
from domain.files.import_fields import ImportedInvoice, Problem
from domain.files.importing import ImportResult, take
from domain.files.reading.records import BadLine
from domain.invoices.list_page import found_by
from domain.invoices.list_position import place
from domain.invoices.numbers.keys import number_key
from domain.invoices.search_terms import own_terms, shared_terms
from domain.models import Invoice, Link
from domain.organisations import organisations
from domain.states import LinkState, LinkStatus
from domain.summaries import OrganisationSummary
from tests.domain.factories import NOW, TEAM, kept_terms, make_ledger, make_link, make_organisation


def line(number: str, at: int = 2, **values: Any) -> ImportedInvoice:
    one = ImportedInvoice(
        line=at,
        number=number,
        number_key=number_key(number),
        buyer_name="Acme Corporation",
        buyer_email="",
        amount=120_050,
        currency="USD",
        issue_date=None,
        due_date=date(2026, 11, 30),
        description="",
    )
    return replace(one, **values)


def bad_line(at: int) -> BadLine:
    return BadLine(at, at, (Problem("number", "", "write it"),))


def stored(db: Database, **values: object) -> list[Invoice]:
    return db.run(
        lambda session: list(
            session.scalars(sa.select(Invoice).filter_by(**values).order_by(Invoice.number_key))
        )
    )


def search(db: Database, text: str) -> list[str]:
    organisation_id = db.run(organisations.list_all)[0].id
    return db.run(
        lambda session: list(
            session.scalars(sa.select(Invoice.number).where(found_by(session, organisation_id, text)))
        )
    )


def check_derived(db: Database) -> None:
    """What is kept beside the invoices is what would be derived from them now."""

    def check(session: Session) -> None:
        links = {link.invoice_id: link for link in session.scalars(sa.select(Link))}
        for invoice in session.scalars(sa.select(Invoice)):
            kept = (invoice.status, invoice.position)
            place(invoice, links.get(invoice.id))
            assert (invoice.status, invoice.position) == kept
            assert kept_terms(session, invoice) == own_terms(
                invoice.number_key, invoice.buyer_name
            ) | shared_terms(invoice.buyer_name)

    db.run(check)


def test_new_invoices_are_added_as_they_are(db: Database, organisation: OrganisationSummary) -> None:
    lines = [
        line("INV-1"),
        line("ünit-2", due_date=None, issue_date=date(2026, 1, 2)),
        line("INV-3", amount=-5),
    ]

    result = take(db, organisation, lines, now=NOW)

    assert result == ImportResult(new=3)
    for wanted in lines:
        (row,) = stored(db, number_key=wanted.number_key)
        assert (row.number, row.amount, row.due_date, row.issue_date) == (
            wanted.number,
            wanted.amount,
            wanted.due_date,
            wanted.issue_date,
        )
        assert (row.organisation_id, row.status) == (organisation.id, LinkStatus.NOT_CREATED)
    assert sorted(search(db, "acme corp")) == ["INV-1", "INV-3", "ünit-2"]
    assert search(db, "ünit") == ["ünit-2"]
    check_derived(db)


@pytest.mark.parametrize(
    "text", ["\\", "\\N", "\\.", "a\tb", "a\r\nb\n", "\\t", "'\"", "a,b", "\u2028", "🧾", "NULL"]
)
def test_text_is_stored_letter_for_letter(db: Database, organisation: OrganisationSummary, text: str) -> None:
    """Whatever the databases' formats for many rows make of it."""
    take(db, organisation, [line("INV-1", description=text), line("INV-2")], now=NOW)

    assert [row.description for row in stored(db)] == [text, ""]


def test_more_rows_and_terms_than_one_statement_holds_are_stored(
    db: Database, organisation: OrganisationSummary
) -> None:
    names = [" ".join(f"w{n}x{word}" for word in range(n % 50)) or "Acme" for n in range(1_100)]

    take(db, organisation, [line(f"INV-{n}", n, buyer_name=name) for n, name in enumerate(names)], now=NOW)

    check_derived(db)


def test_an_import_leaves_no_connection_of_sqlite_set_up_for_many_rows(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    make_organisation(db)
    organisation = db.run(organisations.get_by_team, TEAM)

    def settings(session: Session) -> int:
        size: int = session.execute(sa.text("PRAGMA cache_size")).scalar_one()
        return size

    before = db.run(settings)

    take(db, organisation, [line("INV-1")], now=NOW)

    assert db.run(settings) == before
    db.close_now()


def test_a_new_invoice_by_hand_follows_the_imported_ones(
    db: Database, organisation: OrganisationSummary
) -> None:
    """The ids that an import reserves are taken for everybody."""
    take(db, organisation, [line("INV-1"), line("INV-2")], now=NOW)

    def add(session: Session) -> int:
        one = Invoice(
            organisation_id=organisation.id,
            number="INV-3",
            number_key="inv-3",
            buyer_name="Acme",
            amount=1,
            currency="USD",
            position="",
        )
        session.add(one)
        session.flush()
        return one.id

    assert db.run(add) > max(row.id for row in stored(db, buyer_name="Acme Corporation"))


def test_the_same_file_again_changes_nothing(db: Database, organisation: OrganisationSummary) -> None:
    lines = [line(f"INV-{n}", buyer_name="x" * 10_000) for n in range(20)]
    take(db, organisation, lines, now=NOW)
    before = [(row.id, row.position) for row in stored(db)]

    assert take(db, organisation, lines, now=NOW) == ImportResult(unchanged=20)
    assert [(row.id, row.position) for row in stored(db)] == before


@pytest.mark.parametrize(
    "change",
    [
        {"buyer_name": "Blue Heron"},
        {"buyer_email": "new@acme.example"},
        {"amount": 0},
        {"currency": "EUR"},
        {"issue_date": date(2026, 1, 1)},
        {"due_date": None},
        {"description": "changed"},
    ],
)
def test_an_invoice_that_changed_is_updated_in_place(
    db: Database, organisation: OrganisationSummary, change: dict[str, Any]
) -> None:
    take(db, organisation, [line("INV-1"), line("INV-2")], now=NOW)
    (before,) = stored(db, number="INV-1")

    result = take(db, organisation, [replace(line("INV-1"), **change), line("INV-2")], now=NOW)

    assert result == ImportResult(updated=1, unchanged=1)
    (after,) = stored(db, id=before.id)
    for name, value in change.items():
        assert getattr(after, name) == value
    check_derived(db)


def test_a_renamed_buyer_is_found_by_the_new_name_only(
    db: Database, organisation: OrganisationSummary
) -> None:
    take(db, organisation, [line("INV-1"), line("INV-2")], now=NOW)
    take(db, organisation, [line("INV-1", buyer_name="Blue Heron"), line("INV-2")], now=NOW)

    assert search(db, "heron") == ["INV-1"]
    assert search(db, "acme") == ["INV-2"]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (LinkState.CREATED, LinkStatus.PENDING_PAYMENT),
        (LinkState.CREATED, LinkStatus.PAID),
        (LinkState.RESERVED, None),
    ],
)
def test_an_update_leaves_the_link_and_what_it_says_alone(
    db: Database, organisation: OrganisationSummary, state: LinkState, status: LinkStatus | None
) -> None:
    take(db, organisation, [line("INV-1")], now=NOW)
    (invoice,) = stored(db)
    values: dict[str, Any] = {"status": status} if status else {}
    make_link(db, invoice.id, state=state, **values)

    take(db, organisation, [line("INV-1", amount=999, due_date=date(2027, 1, 1))], now=NOW)

    (invoice,) = stored(db)
    link = db.run(lambda session: session.scalars(sa.select(Link)).one())
    assert (invoice.amount, invoice.status) == (999, status or LinkStatus.NOT_CREATED)
    assert invoice.position == "1|2027-01-01|inv-1"
    assert (link.amount, link.state) == (120_050, state)
    check_derived(db)


def test_the_link_of_another_ledger_says_nothing(db: Database, organisation: OrganisationSummary) -> None:
    make_ledger(db)
    live = make_ledger(db, livemode=True, current=False)
    take(db, organisation, [line("INV-1")], now=NOW)
    (invoice,) = stored(db)
    make_link(db, invoice.id, ledger_id=live)

    take(db, organisation, [line("INV-1", amount=999)], now=NOW)

    (invoice,) = stored(db)
    assert (invoice.status, invoice.position[0]) == (LinkStatus.NOT_CREATED, "0")


def test_bad_lines_are_told_in_their_order_and_stop_nothing(
    db: Database, organisation: OrganisationSummary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK_ROWS", 2)
    lines: list[ImportedInvoice | BadLine] = [
        bad_line(2),
        line("A", 3),
        bad_line(4),
        bad_line(5),
        line("B", 6),
    ]
    bad: list[BadLine] = []
    progress: list[int] = []

    def note(so_far: ImportResult) -> None:
        progress.append(so_far.taken + so_far.bad)

    result = take(db, organisation, lines, now=NOW, on_bad=bad.append, on_progress=note)

    assert result == ImportResult(new=2, bad=3)
    assert [one.line for one in bad] == [2, 4, 5]
    assert progress == [2, 4, 5]


def test_another_organisations_invoice_of_the_same_number_is_another_one(
    db: Database, organisation: OrganisationSummary
) -> None:
    make_organisation(db, "T2")
    take(db, organisation, [line("INV-1")], now=NOW)
    other = db.run(organisations.get_by_team, "T2")

    assert take(db, other, [line("INV-1", amount=5)], now=NOW) == ImportResult(new=1)
    assert sorted(row.amount for row in stored(db, number="INV-1")) == [5, 120_050]
