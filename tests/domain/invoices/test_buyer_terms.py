"""A short buyer name's terms are kept once, and find all of its invoices."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.files import importing
from domain.files.importing import take
from domain.invoices.list_page import find_page
from domain.invoices.search_terms import TERM_LENGTH
from domain.models import BuyerTerm, Invoice, SearchTerm
from domain.organisations import organisations
from domain.summaries import OrganisationSummary
from tests.domain.factories import NOW, TEAM, terms_of
from tests.domain.files.test_importing import line
from tests.domain.migrations.version_before import be_the_version_before

LONG = "Acme " + "and Sons " * 10


@pytest.fixture
def organisation(db: Database) -> OrganisationSummary:
    return db.run(organisations.ensure, TEAM, "Paylink Test", None)


@pytest.fixture(autouse=True)
def a_line_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK_ROWS", 1)


def found(db: Database, organisation: OrganisationSummary, search: str) -> list[str]:
    def look(session: Session) -> Iterator[str]:
        for key in find_page(session, organisation.id, search, status=None, after=None, limit=100):
            yield session.get_one(Invoice, key).number

    return sorted(db.run(lambda session: list(look(session))))


def kept(db: Database) -> tuple[list[str], list[str]]:
    """The terms of invoices, and those of buyers."""

    def read(session: Session) -> tuple[list[str], list[str]]:
        own, of_buyers = (
            session.scalars(sa.select(SearchTerm.term)),
            session.scalars(sa.select(BuyerTerm.term)),
        )
        return sorted(own), sorted(of_buyers)

    return db.run(read)


def test_a_short_name_has_its_terms_once(db: Database, organisation: OrganisationSummary) -> None:
    take(db, organisation, [line(f"INV-{n}", buyer_name="Acme Trading") for n in (1, 2, 3)], now=NOW)

    assert kept(db) == ([], ["acme trading", "trading"])
    assert found(db, organisation, "trad") == ["INV-1", "INV-2", "INV-3"]


def test_names_that_begin_alike_and_are_long_are_told_apart(
    db: Database, organisation: OrganisationSummary
) -> None:
    names = [LONG + "of London", LONG + "of Lisbon"]
    assert len(LONG) > TERM_LENGTH
    take(db, organisation, [line(f"INV-{n}", buyer_name=name) for n, name in enumerate(names)], now=NOW)

    assert kept(db)[1] == []
    assert found(db, organisation, "london") == ["INV-0"]
    assert found(db, organisation, "acme") == ["INV-0", "INV-1"]


@pytest.mark.parametrize("length", [58, 59, 60, 61])
def test_a_name_is_found_at_each_of_its_words_whether_short_or_long(
    db: Database, organisation: OrganisationSummary, length: int
) -> None:
    name = "Acme " + "x" * (length - 9) + " Ltd"
    assert len(name) == length
    take(db, organisation, [line("INV-1", buyer_name=name)], now=NOW)

    for term in terms_of("inv-1", name):
        assert found(db, organisation, term) == ["INV-1"]


@pytest.mark.parametrize("remembered", [0, 50_000])
def test_a_new_invoice_is_found_after_old_ones_of_its_buyer_that_have_not_changed(
    db: Database, organisation: OrganisationSummary, monkeypatch: pytest.MonkeyPatch, remembered: int
) -> None:
    monkeypatch.setattr(importing, "KNOWN_BUYERS", remembered)
    with pytest.MonkeyPatch.context() as patch:
        be_the_version_before(patch)
        take(db, organisation, [line("INV-1", buyer_name="Acme Trading")], now=NOW)
    assert kept(db) == (["acme trading", "inv 1", "trading"], [])

    take(db, organisation, [line(f"INV-{n}", buyer_name="Acme Trading") for n in (1, 2, 3)], now=NOW)

    assert found(db, organisation, "trading") == ["INV-1", "INV-2", "INV-3"]


def test_an_invoice_of_the_version_before_is_found_by_its_new_name_only(
    db: Database, organisation: OrganisationSummary
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        be_the_version_before(patch)
        take(db, organisation, [line("INV-1", buyer_name="Acme Trading")], now=NOW)

    take(db, organisation, [line("INV-1", buyer_name="Blue Heron")], now=NOW)

    assert found(db, organisation, "trading") == []
    assert found(db, organisation, "heron") == ["INV-1"]
