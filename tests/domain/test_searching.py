"""A page of what a search finds is the same whichever way finds it."""

import random
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import searching
from domain.database import Database
from domain.models import Invoice
from domain.search_terms import phrase_of, terms_of
from tests.domain.factories import add_invoice, make_ledger, make_link, make_organisation

SEARCHES = ["", "a", "acme", "corp", "inv 1", "INV-10", "inv-100", "zebra", "nothing", "acme corp", "gm"]
STATUSES = [None, "Not Created", "Pending Payment", "Paid"]


@pytest.fixture
def organisation(db: Database) -> int:
    """Forty invoices of every status, in two due dates, and a neighbour's that are the same."""
    organisation_id, neighbour = make_organisation(db), make_organisation(db, "T0OTHER")
    make_ledger(db)
    for index, invoice in enumerate(db.run(_fill, [organisation_id, neighbour])[:16]):
        make_link(db, invoice, status="Paid" if index % 2 else "Pending Payment")
    return organisation_id


def _fill(session: Session, organisations: list[int]) -> list[int]:
    """Those of the first organisation that could have links, in no order."""
    chance = random.Random(7)
    eligible = []
    for number in range(1000, 1040):
        buyer = chance.choice(["Acme Corp", "Acme GmbH", "Zebra Corp", "Müller & Söhne", "Corp of Acme"])
        due = date(2026, 11, 1) + timedelta(days=chance.randrange(2))
        amount = chance.choice([0, 100, 100, 100])
        made = [
            add_invoice(
                session, f"INV-{number}", organisation_id=owner, buyer_name=buyer, due_date=due, amount=amount
            )
            for owner in organisations
        ]
        eligible += made[:1] if amount else []
    chance.shuffle(eligible)
    return eligible


def expected(session: Session, organisation: int, search: str, status: str | None) -> list[int]:
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


@pytest.mark.parametrize("budget", [1, 7, 2_000])
def test_pages_together_are_all_that_is_found_in_list_order(
    db: Database, organisation: int, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    monkeypatch.setattr(searching, "FIRST_BUDGET", budget)

    def check(session: Session) -> None:
        for search in SEARCHES:
            for status in STATUSES:
                found: list[int] = []
                after = None
                while page := searching.find_page(
                    session, organisation, search, status=status, after=after, limit=9
                ):
                    found += page
                    after = session.scalar(sa.select(Invoice.position).where(Invoice.id == page[-1]))
                assert found == expected(session, organisation, search, status), (search, status)

    db.run(check)
