"""Numbers are found by how they begin, however they are written, and in list order."""

import random
from datetime import date

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from domain.database import Database
from domain.invoices import number_search
from domain.invoices.list_page import find_page
from domain.invoices.numbers import endings
from domain.invoices.numbers.endings import digits_of
from domain.invoices.numbers.keys import number_key, written_key
from domain.invoices.search_terms import phrase_of, terms_of_number
from domain.models import Base, Invoice
from domain.states import LinkStatus
from tests.domain.factories import add_invoice, make_link, make_organisation

NUMBERS = st.text("a1-/: _–ж№é１＃\u200b\U0010ffff", min_size=1, max_size=6).filter(
    lambda text: written_key(text) == text
)


def fill(db: Database, numbers: list[str]) -> int:
    """An organisation with these invoices, due on three days, and a neighbour with the same."""
    organisation, neighbour = make_organisation(db), make_organisation(db, "T0OTHER")
    chance = random.Random(7)

    def add(session: Session) -> list[int]:
        made = []
        for number in numbers:
            due = chance.choice([None, date(2026, 11, 1), date(2026, 11, 2)])
            for owner in (organisation, neighbour):
                made.append(
                    add_invoice(session, number, organisation_id=owner, buyer_name="日本", due_date=due)
                )
        return made

    for invoice in db.run(add)[::6]:
        make_link(db, invoice, status=chance.choice([LinkStatus.PAID, LinkStatus.PENDING_PAYMENT]))
    return organisation


def listed(
    db: Database, organisation: int, search: str, status: LinkStatus | None = None, limit: int = 100
) -> list[str]:
    """The numbers on all pages."""

    def look(session: Session) -> list[str]:
        found: list[Invoice] = []
        while True:
            after = found[-1].position if found else None
            page = find_page(session, organisation, search, status=status, after=after, limit=limit)
            if not page:
                return [invoice.number for invoice in found]
            found += [session.get_one(Invoice, one) for one in page]

    return db.run(look)


def expected(db: Database, organisation: int, search: str, status: LinkStatus | None) -> list[str]:
    """What the rule says, invoice by invoice."""
    phrase, digits = phrase_of(search), digits_of(search)

    def look(session: Session) -> list[str]:
        own = sa.select(Invoice).where(Invoice.organisation_id == organisation).order_by(Invoice.position)
        return [
            one.number
            for one in session.scalars(own)
            if status in (None, one.status)
            and (
                not phrase
                or any(term.startswith(phrase) for term in terms_of_number(one.number_key))
                or (digits and number_key(one.number).endswith(digits))
            )
        ]

    return db.run(look)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("inv-1", ["INV-1", "INV-10", "Inv 11", "#inv/12"]),
        ("inv 1", ["INV-1", "INV-10", "Inv 11", "#inv/12"]),
        ("INV/1", ["INV-1", "INV-10", "Inv 11", "#inv/12"]),
        ("inv", ["INV-1", "INV-10", "Inv 11", "INV1", "#inv/12"]),
        ("inv1", ["INV1"]),
        ("#inv", ["#inv/12", "INV-1", "INV-10", "Inv 11", "INV1"]),
        ("#", ["#inv/12"]),
        ("1", ["INV-1", "INV1", "INW-1", "Inv 11"]),
        ("#70", ["СЧЁТ-70"]),
        ("11", ["Inv 11"]),
        ("７", ["2026–01—7", "2026/02 7", "Счёт №7"]),
        ("2026", ["2026–01—7", "2026/02 7"]),
        ("2026 01", ["2026–01—7"]),
        ("2026-02-7", ["2026/02 7"]),
        ("счёт 7", ["СЧЁТ-70"]),
        ("СЧЁТ №", ["Счёт №7"]),
        ("№", []),
        ("ｉｎｖ－１０", ["INV-10"]),
        ("in\u200bv-10", ["INV-10"]),
        ("＃", ["#inv/12"]),
        ("\x00inv-10\ud800", ["INV-10"]),
        ("x" * 3_000, []),
    ],
)
def test_a_number_is_found_by_its_beginning_whatever_signs_are_in_it(
    db: Database, search: str, found: list[str]
) -> None:
    numbers = [
        "INV-1",
        "INV-10",
        "Inv 11",
        "#inv/12",
        "INV1",
        "INW-1",
        "2026–01—7",
        "2026/02 7",
        "Счёт №7",
        "СЧЁТ-70",
    ]
    organisation = fill(db, numbers)

    assert sorted(listed(db, organisation, search)) == sorted(found)


@pytest.mark.parametrize("few", [0, 3, 1_000])
def test_pages_together_are_all_numbers_found_in_list_order(
    db: Database, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(number_search, "FEW", few)
    monkeypatch.setattr(endings, "FEW", few)
    organisation = fill(
        db, [f"{word}{sign}{n}" for word in ("INV", "CR") for sign in "-/" for n in range(1, 25)]
    )

    for search in ("inv", "inv-", "inv 1", "cr/2", "i", "inv-7", "x", "1", "12", "112"):
        for status in (None, LinkStatus.NOT_CREATED, LinkStatus.PENDING_PAYMENT, LinkStatus.PAID):
            right = expected(db, organisation, search, status)
            # One by one, or nearly, without asking hundreds of times.
            for limit in (1 + len(right) // 12, 9, 100):
                assert listed(db, organisation, search, status, limit) == right, (search, status, limit)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=12, unique_by=number_key), NUMBERS)
def test_the_rule_holds_however_numbers_are_written(sqlite_url: str, numbers: list[str], search: str) -> None:
    db = Database(sqlite_url)
    try:
        _forget(db)
        organisation = fill(db, sorted(numbers))

        assert listed(db, organisation, search) == expected(db, organisation, search, None)
    finally:
        db.close_now()


def _forget(db: Database) -> None:
    def empty(session: Session) -> None:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(sa.delete(table))

    db.run(empty)


def test_numbers_in_very_many_spellings_are_found_as_they_are_typed(db: Database) -> None:
    signs = [chr(code) for code in range(0x21, 0x7F) if not chr(code).isalnum()]
    organisation = fill(db, [f"INV{sign}1" for sign in signs])

    assert len(listed(db, organisation, "inv 1")) >= number_search.SPELLINGS
    for sign in signs:
        assert f"INV{sign}1" in listed(db, organisation, f"inv{sign}1")


def test_letters_of_other_alphabets_hide_no_number(db: Database) -> None:
    others = [f"{chr(code)}-1" for code in range(0x430, 0x450)]
    organisation = fill(db, [*others, "“Ромашка”-1", "7а-1", "7–1", "7ш-1"])

    assert listed(db, organisation, "ромашка") == ["“Ромашка”-1"]
    assert listed(db, organisation, "7-1") == ["7–1"]


def test_no_number_holds_a_search_up(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_search, "FEW", 2)
    organisation = fill(db, ["\U0010ffff1", *(f"INV-{n}" for n in range(12))])

    assert len(listed(db, organisation, "inv")) == 12
    assert set(listed(db, organisation, "1")) == {"\U0010ffff1", "INV-1", "INV-11"}
