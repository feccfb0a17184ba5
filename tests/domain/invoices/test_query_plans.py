"""No query that people wait for goes through a whole table: SQLite says so of each statement that is really sent."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination import abandoned_claims
from domain.coordination.leases import Lease
from domain.database import Database
from domain.files import exporting
from domain.invoices import invoices, list_page
from domain.invoices.numbers import finding
from domain.links import claiming, intents, run_results
from domain.lists import selections
from domain.lists.selection_ids import new_id
from domain.messages import transactions
from domain.messages.due import list_due
from domain.models import BulkRun, Invoice, Ledger, Selection
from domain.organisations import entering
from domain.overview import details, home
from domain.payments import events
from domain.scope import Scope
from domain.states import LinkStatus
from domain.summaries import Actor
from tests.domain.factories import NOW, PAGE, TEAM, make_invoice, make_ledger, make_link, make_organisation

ANNA = Actor(TEAM, "U0ANNA")
Question = Callable[[Session], object]
LEASE = Lease("me", timedelta(seconds=60), timedelta(seconds=60))
SCOPE = Scope(1, 1, livemode=False)
# One row for each workspace and for each Stripe account: read whole, they are still small.
SMALL = {"organisations", "ledgers", "duties", "installations"}
# What another step has found, or a row of what was given.
FOUND = {"anon_1", "(subquery-1)", "one", "json_each"}
# Indexes that hold only what is open: read whole, they are small too.
OPEN = ("ix_links_due", "ix_outbox_open", "ix_stripe_events_due")


def _plans(db: Database, ask: Question) -> list[str]:
    """What SQLite does for each statement that ``ask`` sends, one step a line."""
    sent: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    with Session(db.engine) as session:
        sa.event.listen(db.engine, "before_cursor_execute", note)
        try:
            ask(session)
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", note)
        connection = session.connection()
        steps: list[str] = []
        for statement, parameters in sent:
            if statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                steps += [row.detail for row in rows]
        session.rollback()
    return steps


def _scanned(steps: list[str]) -> list[str]:
    scans = [step for step in steps if step.startswith("SCAN ")]
    return [
        step
        for step in scans
        if step.split()[1] not in SMALL | FOUND and "CONSTANT" not in step and not step.endswith(OPEN)
    ]


def _whole_organisations(steps: list[str]) -> list[str]:
    """Steps that go through all invoices of an organisation: right for a page of the list, wrong for known ids."""
    return [step for step in steps if step.startswith("SEARCH invoices") and "(organisation_id=?)" in step]


@pytest.fixture
def filled(sqlite_url: str) -> Iterator[Database]:
    """A paid, a pending and an open invoice. SQLite gathers no statistics, so its plans don't depend on how many."""
    db = Database(sqlite_url)
    make_organisation(db)
    make_ledger(db)
    for status in (LinkStatus.PAID, LinkStatus.PENDING_PAYMENT):
        make_link(db, make_invoice(db), status=status)
    make_invoice(db, "INV-1")
    yield db
    db.close_now()


def _questions() -> dict[str, Question]:
    def listed(search: str, status: LinkStatus | None, after: str | None = None) -> Question:
        return lambda s: list_page.find_page(s, 1, search, status=status, after=after, limit=101)

    def exported(search: str) -> Question:
        return lambda s: exporting.export_page(s, 1, 1, filter=None, search=search, after="inv-0")

    return {
        "one invoice by number": lambda s: invoices.find_by_number(s, SCOPE, "INV-1"),
        "one invoice by id": lambda s: invoices.get(s, SCOPE, 3),
        "the details of a number": lambda s: details.look_up(s, SCOPE, "INV-1", NOW),
        "the details of an id": lambda s: details.get(s, SCOPE, 3, NOW),
        "whoever comes in": lambda s: entering.enter(s, TEAM),
        "the nearest numbers": lambda s: invoices.find_nearest(s, SCOPE, "1"),
        "type-ahead": lambda s: invoices.find_options(s, SCOPE, "ac"),
        "type-ahead before anything is typed": lambda s: invoices.find_options(s, SCOPE, ""),
        "closing digits": lambda s: finding.find_meant(s, SCOPE, "1"),
        "more closing digits": lambda s: finding.find_meant(s, SCOPE, "1003"),
        "a link's URL": lambda s: finding.find_meant(s, SCOPE, "https://buy.stripe.com/test_1"),
        "a payment's id": lambda s: finding.find_meant(s, SCOPE, "pi_1"),
        "the list": listed("", None),
        "the filtered list": listed("", LinkStatus.PAID),
        "its second page": listed("", LinkStatus.NOT_CREATED, "0|2026"),
        "a search": listed("acme", None),
        "a filtered search": listed("acme", LinkStatus.NOT_CREATED),
        "the second page of a search": listed("acme", LinkStatus.NOT_CREATED, "0|2026"),
        "the modal of the list": lambda s: selections.open_list(
            s, SCOPE, ANNA, new_id(ANNA), "acme", shape=replace(PAGE, rows=30), now=NOW
        ),
        "the modal of the list of all": lambda s: selections.open_list(
            s, SCOPE, ANNA, new_id(ANNA), "", shape=replace(PAGE, invoices=1), now=NOW
        ),
        "the modal of a list that is written down": lambda s: selections.show_list(
            s, SCOPE, ANNA, _written_down(s), shape=replace(PAGE, rows=30), now=NOW
        ),
        "a page of an export": exported(""),
        "a page of an export that is searched": exported("acme"),
        "Home": lambda s: home.get_home(s, SCOPE, ANNA, NOW),
        "the result of a run": lambda s: run_results.summarise(s, BulkRun(id=1, organisation_id=1)),
        "claiming links": lambda s: claiming.claim_due(s, 1, 16, LEASE),
        "whose messages are due": list_due,
        "claiming messages": lambda s: transactions.claim_due(s, 1, LEASE),
        "claiming events": lambda s: events.claim_due(s, 1, 16, LEASE),
        "who holds claims": abandoned_claims.list_owners,
        "ending claims": lambda s: abandoned_claims.end_claims(s, {"me"}),
    }


def _written_down(session: Session) -> int:
    selection = new_id(ANNA)
    selections.tick(
        session,
        SCOPE,
        ANNA,
        selection,
        revision=1,
        displayed=set(),
        ticked=set(),
        acted_at="",
        opened_with="acme",
        now=NOW,
    )
    return selection


def _questions_of_known_ids() -> dict[str, Question]:
    ids = [1, 2, 3]
    return {
        "the rows of a page": lambda s: invoices.list_known(s, SCOPE, ids),
        "those of a number": lambda s: invoices.list_by_number(s, SCOPE, "INV-1"),
        "those of a number that is written in another way": lambda s: invoices.list_by_number(
            s, SCOPE, "INV\u20131"
        ),
        "those of a number that nothing has": lambda s: invoices.list_by_number(s, SCOPE, "INV-2"),
        "what a run locks": lambda s: intents.lock_invoices(s, SCOPE, ids),
        "what a run finds": lambda s: intents.find_existing(s, SCOPE, ids),
        "ticking": lambda s: selections._add(s, Selection(id=1, organisation_id=2), ids),
        "type-ahead": lambda s: invoices.find_options(s, SCOPE, "ac"),
        "a search that finds little": lambda s: list_page.find_page(
            s, 1, "acme", status=LinkStatus.PAID, after="0|", limit=101
        ),
    }


@pytest.mark.parametrize("limits", [{}, {"FEW": 0, "MANY": 0}, {"FEW": 0, "SOON": 0}], ids=str)
@pytest.mark.parametrize("name", _questions())
def test_no_question_of_people_goes_through_a_table(
    filled: Database, monkeypatch: pytest.MonkeyPatch, name: str, limits: dict[str, int]
) -> None:
    for limit, value in limits.items():
        monkeypatch.setattr(list_page, limit, value)

    assert _scanned(_plans(filled, _questions()[name])) == []


@pytest.mark.parametrize("name", _questions_of_known_ids())
def test_known_invoices_are_read_by_their_ids(filled: Database, name: str) -> None:
    assert _whole_organisations(_plans(filled, _questions_of_known_ids()[name])) == []


def test_a_plain_number_is_found_by_one_statement(filled: Database) -> None:
    sent: list[str] = []
    with Session(filled.engine) as session:
        sa.event.listen(filled.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
        assert [one.number for one in invoices.list_by_number(session, SCOPE, " inv-1")] == ["INV-1"]

    assert len([statement for statement in sent if statement.startswith("SELECT")]) == 1


def test_a_scan_would_be_seen(filled: Database) -> None:
    by_text = sa.text("SELECT id FROM invoices WHERE buyer_name LIKE '%x%'")

    assert _scanned(_plans(filled, lambda s: s.execute(by_text))) == ["SCAN invoices"]


def test_a_links_url_is_found_by_its_index(filled: Database) -> None:
    steps = _plans(filled, _questions()["a link's URL"])

    assert [step for step in steps if " links " in step] == [
        "SEARCH links USING INDEX ix_links_url (organisation_id=? AND ledger_id=? AND url=?)"
    ]


def test_closing_digits_of_one_status_are_found_by_their_index(filled: Database) -> None:
    def ask(session: Session) -> object:
        return list_page.find_page(session, 1, "1003", status=LinkStatus.PAID, after=None, limit=101)

    steps = _plans(filled, ask)
    assert any("INDEX ix_invoices_closing (organisation_id=? AND <expr>=?)" in step for step in steps)
    assert _whole_organisations(steps) == []


def test_going_through_an_organisation_would_be_seen(filled: Database) -> None:
    both = invoices.within(SCOPE).where(Invoice.id.in_([1, 2])).order_by(Invoice.position)

    assert len(_whole_organisations(_plans(filled, lambda s: s.execute(both)))) == 1


def test_whether_to_poll_is_known_without_going_through_an_accounts_links(filled: Database) -> None:
    def ask(session: Session) -> object:
        ledger = session.get_one(Ledger, 1)
        ledger.events_watermark = ledger.swept_until = NOW
        return events.watch_from(session, 1)

    steps = [step for step in _plans(filled, ask) if " links " in step]
    assert steps
    for step in steps:
        assert "ix_links_status (organisation_id=? AND ledger_id=? AND status=?" in step
