"""Amounts and dates in the language that an organisation chose: told apart in each, and as ever where it chose none."""

from collections.abc import AsyncIterator
from contextvars import copy_context
from dataclasses import replace
from datetime import date

import pytest
from babel import Locale

from domain.database import Database
from domain.errors import AmountChanged
from domain.messages.summaries import Announcement
from domain.money import Money
from domain.organisations import settings
from domain.states import AnnouncementKind, Right
from domain.summaries import PROGRAM, Actor
from handlers.poster import _arguments
from handlers.views.listing import listing
from handlers.words.sentences import sentence
from handlers.words.settings import LANGUAGES
from handlers.words.written import SEPARATORS, amount, day, speaking
from sandbox.slack.blocks.surfaces import check_view
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import NOW, make_invoice
from tests.domain.world import ADA, World, world
from tests.handlers.samples import invoice, paid
from tests.handlers.shapes import page

SUM = Money(-123_456_789, "USD")


def test_there_are_words_and_separators_for_each_language_that_can_be_chosen() -> None:
    assert set(LANGUAGES) == set(SEPARATORS) == set(settings.LANGUAGES)
    for language, separators in SEPARATORS.items():
        symbols = Locale.parse(language).number_symbols["latn"]
        assert separators == (symbols["group"], symbols["decimal"])


def test_amounts_and_dates_are_as_ever_until_a_language_is_chosen() -> None:
    assert (amount(SUM), day(date(2026, 3, 4))) == (str(SUM), "2026-03-04")
    written = {}
    for language in LANGUAGES:
        with speaking(language):
            written[language] = (amount(SUM), amount(Money(1_500, "KWD")), day(date(2026, 3, 4)))
    assert written["de"] == ("USD -1.234.567,89", "KWD 1,500", "4. März 2026")
    assert written["fr"] == ("USD -1\u202f234\u202f567,89", "KWD 1,500", "4 mars 2026")
    assert written["ja"] == ("USD -1,234,567.89", "KWD 1.500", "2026年3月4日")
    with speaking("xx"):
        assert (amount(SUM), day(date(2026, 3, 4))) == (str(SUM), "2026-03-04")


@pytest.mark.parametrize("language", LANGUAGES)
def test_slack_takes_a_full_page_in_each_language(language: str) -> None:
    everybody = [
        invoice(number, amount=Money(10**15, "USD"), due_date=date(2027, 12, 31)) for number in range(1, 101)
    ]
    with speaking(language):
        check_view(listing(page(everybody)))


def test_a_message_is_in_the_language_of_its_organisation() -> None:
    one = replace(invoice(1), due_date=None)
    told = Announcement(
        1, 1, AnnouncementKind.PAID, "key", "C1", 0, False, None, invoice=paid(one), language="de"
    )
    said = _arguments(replace(told, received=SUM), mentions=False)["text"]
    assert "USD -1.234.567,89" in said
    assert amount(SUM) == str(SUM), "the next message is another organisation's"


@pytest.fixture
async def running(sqlite_url: str) -> AsyncIterator[World]:
    db = Database(sqlite_url)
    async with LocalStripe() as stripe, world(db, stripe) as one:
        yield one
    db.close_now()


async def test_whoever_is_let_in_reads_their_organisations_language(running: World) -> None:
    made = make_invoice(running.db)
    running.db.run(settings.change, running.organisation_id, by="U0ADA", now=NOW, language="de")
    outside = copy_context()
    found = await running.desk.get_details(ADA, made)
    assert amount(found.invoice.amount) == "USD 1.200,50"
    assert outside.run(amount, found.invoice.amount) == "USD 1,200.50"
    running.db.run(settings.change, running.organisation_id, by="U0ADA", now=NOW, language="fr")
    with pytest.raises(AmountChanged) as refused:
        await running.desk.create_link(ADA, made, Money(1, "USD"), patience=1)
    assert "USD 1\u202f200,50" in str(sentence(refused.value))
    await running.desk.list_homes((ADA,))
    assert amount(SUM).startswith("USD -1\u202f")
    program = Actor(ADA.team_id, f"{PROGRAM}books", rights=frozenset(Right))
    await running.desk.get_details(program, made)
    assert amount(SUM) == str(SUM), "programs read them as ever"
