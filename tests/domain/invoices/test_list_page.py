"""A page of what a search finds is the same whichever way finds it."""

import random
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from domain.database import Database
from domain.invoices import list_page
from domain.invoices.search_terms import phrase_of, terms_of_buyer
from domain.models import BuyerTerm, Invoice, SearchTerm
from domain.states import LinkStatus
from tests.domain.factories import add_invoice, make_ledger, make_link, make_organisation, terms_of

SEARCHES = ["", "a", "acme", "corp", "inv 1", "INV-10", "inv-100", "zebra", "nothing", "acme corp", "gm"]
# All of its invoices are of the version before.
OLD_NAME = "Acme and Zebra"
# Its words are terms of each invoice.
LONG_NAME = "Acme " + "and " * 20 + "Corp"
STATUSES = [None, LinkStatus.NOT_CREATED, LinkStatus.PENDING_PAYMENT, LinkStatus.PAID]


@pytest.fixture
def organisation(db: Database) -> int:
    """Forty invoices of every status, in two due dates, and a neighbour's that are the same."""
    organisation_id, neighbour = make_organisation(db), make_organisation(db, "T0OTHER")
    make_ledger(db)
    for index, invoice in enumerate(db.run(_fill, [organisation_id, neighbour])[:16]):
        make_link(db, invoice, status=LinkStatus.PAID if index % 2 else LinkStatus.PENDING_PAYMENT)
    return organisation_id


def _fill(session: Session, organisations: list[int]) -> list[int]:
    """Those of the first organisation that could have links, in no order."""
    chance = random.Random(7)
    eligible = []
    for number in range(1000, 1040):
        buyer = chance.choice(
            ["Acme Corp", "Acme GmbH", "Zebra Corp", "Müller & Söhne", "Corp of Acme", LONG_NAME, OLD_NAME]
        )
        due = date(2026, 11, 1) + timedelta(days=chance.randrange(2))
        amount = chance.choice([0, 100, 100, 100])
        made = [
            add_invoice(
                session, f"INV-{number}", organisation_id=owner, buyer_name=buyer, due_date=due, amount=amount
            )
            for owner in organisations
        ]
        if buyer == OLD_NAME or chance.random() < 0.2:
            _write_as_before(session, made)
        eligible += made[:1] if amount else []
    chance.shuffle(eligible)
    return eligible


def _write_as_before(session: Session, invoices: list[int]) -> None:
    """Before schema 0003 each invoice had all terms of its buyer's name itself."""
    for one in invoices:
        invoice = session.get_one(Invoice, one)
        for term in terms_of_buyer(invoice.buyer_name):
            session.merge(SearchTerm(organisation_id=invoice.organisation_id, term=term, invoice_id=one))
    session.flush()
    session.execute(sa.delete(BuyerTerm).where(BuyerTerm.buyer_name == OLD_NAME))


def expected(session: Session, organisation: int, search: str, status: LinkStatus | None) -> list[int]:
    """What the rule says, invoice by invoice."""
    phrase = phrase_of(search)
    listed = session.scalars(
        sa.select(Invoice).where(Invoice.organisation_id == organisation).order_by(Invoice.position)
    )
    return [
        one.id
        for one in listed
        if status in (None, one.status)
        and any(term.startswith(phrase) for term in terms_of(one.number_key, one.buyer_name))
    ]


def pages(
    session: Session, organisation: int, search: str, status: LinkStatus | None, limit: int
) -> list[int]:
    """What all pages together show."""
    found: list[int] = []
    after = None
    while page := list_page.find_page(session, organisation, search, status=status, after=after, limit=limit):
        assert len(page) <= limit
        found += page
        after = session.scalar(sa.select(Invoice.position).where(Invoice.id == page[-1]))
    return found


# What decides between the ways: small enough that forty invoices reach every one of them.
LOOKED_UP = {"FEW": 1_000}
BY_BUYER = {"FEW": 12}
ASKED = {"FEW": 0, "KNOWN_BUYERS": 0, "MANY": 0, "SOON": 0, "FIRST_STRETCH": 3, "ASKED_RATE": 1}
GATHERED = ASKED | {"MANY": 1_000, "GATHERED_RATE": 1}
NEVER = {"FAR": 0, "ASKED_RATE": 10**9, "GATHERED_RATE": 10**9}


@pytest.mark.parametrize(
    "limits", [LOOKED_UP, BY_BUYER, ASKED, ASKED | NEVER, GATHERED, GATHERED | NEVER], ids=str
)
def test_pages_together_are_all_that_is_found_in_list_order(
    db: Database, organisation: int, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int]
) -> None:
    for name, value in limits.items():
        monkeypatch.setattr(list_page, name, value)

    def check(session: Session) -> None:
        for search in SEARCHES:
            for status in STATUSES:
                found = pages(session, organisation, search, status, 9)
                assert found == expected(session, organisation, search, status), (search, status)

    db.run(check)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_way_changes_nothing_of_what_is_found(
    db: Database, organisation: int, data: st.DataObject
) -> None:
    search, status = data.draw(st.sampled_from(SEARCHES)), data.draw(st.sampled_from(STATUSES))
    few = st.integers(0, 50)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("FEW", "FEW_BUYERS", "KNOWN_BUYERS", "MANY", "SOON", "FAR"):
            patch.setattr(list_page, name, data.draw(few, name))
        for name in ("FIRST_STRETCH", "GROWTH", "GATHERED_RATE", "ASKED_RATE"):
            patch.setattr(list_page, name, 1 + data.draw(few, name))
        limit = 1 + data.draw(few, "limit")

        def check(session: Session) -> None:
            found = pages(session, organisation, search, status, limit)
            assert found == expected(session, organisation, search, status)

        db.run(check)


@pytest.mark.parametrize("many", [0, 1_000])
def test_all_that_is_found_is_found_in_any_order(
    db: Database, organisation: int, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(list_page, "MANY", many)

    def check(session: Session) -> None:
        for search in SEARCHES:
            found = session.scalars(
                sa.select(Invoice.id).where(list_page.found_by(session, organisation, search))
            )
            assert sorted(found) == sorted(expected(session, organisation, search, None)), search

    db.run(check)
