"""How long the database works for what people look at, in one transaction each, on either bot's database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks import obvious_bot
from benchmarks.data import NOW, TEAM, number
from benchmarks.measuring import Times, repeat
from domain.database import make_engine
from domain.invoices import invoices, list_page
from domain.overview import home
from domain.scope import Scope
from domain.states import WRITTEN, LinkStatus
from domain.summaries import Actor

PAGE = 101
NOWHERE = Scope(0, 0, livemode=False)
FILTERS = {"All": None, **{word: status for status, word in WRITTEN.items()}}
SEARCHES = {
    "a number": "inv-{middle}",
    "a letter": "a",
    "half of all": "corporation",
    "one in 26": "amber",
    "one in 200": "amber joinery",
    "nothing": "no such buyer",
    "the last tenth of the numbers": "inv-{last}",
}


@dataclass(frozen=True)
class Question:
    name: str
    paylink: Callable[[Session], object]
    obvious: Callable[[sa.Connection], object] | None = None
    target: float | None = None
    searched: bool = False


def questions(count: int, scope: Scope) -> Iterator[Question]:
    known = number(count // 2)
    yield Question(
        "one invoice",
        lambda s: invoices.find_by_number(s, scope, known),
        lambda c: obvious_bot.find(c, known),
        0.0015,
    )
    yield Question("nearest numbers", lambda s: invoices.find_nearest(s, scope, "0000x"))
    yield Question("type-ahead, a letter", lambda s: invoices.find_options(s, scope, "a"))
    yield Question("Home", lambda s: home.get_home(s, scope, Actor(TEAM, "U0ANNA"), NOW), _count)
    for name, status in FILTERS.items():
        yield Question(
            f"list, {name}",
            _page(scope, "", status),
            obvious_bot.list_unlinked if status is LinkStatus.NOT_CREATED else None,
            0.003,
        )
    for subject, pattern in SEARCHES.items():
        text = pattern.format(middle=f"{count // 2:07d}", last=_last_tenth(count))
        for name, status in FILTERS.items():
            yield Question(
                f"search {subject}, {name}",
                _page(scope, text, status),
                partial(obvious_bot.list_unlinked, search=text) if status is LinkStatus.NOT_CREATED else None,
                0.015,
                searched=True,
            )


def measure_paylink(url: str, count: int) -> dict[str, Times]:
    engine = make_engine(url)
    try:
        with Session(engine) as session:
            session.connection(execution_options={"paylink_write": False})
            organisation = session.scalar(sa.text("SELECT id FROM organisations")) or 0
            ledger = session.scalar(sa.text("SELECT id FROM ledgers")) or 0
            return {
                question.name: repeat(partial(_fresh, session, question.paylink), seconds=0.3)
                for question in questions(count, Scope(organisation, ledger, livemode=False))
            }
    finally:
        engine.dispose()


def measure_obvious(url: str, count: int) -> dict[str, Times]:
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return {
                question.name: repeat(partial(question.obvious, connection), least=3, seconds=0.3)
                for question in questions(count, NOWHERE)
                if question.obvious is not None
            }
    finally:
        engine.dispose()


def _fresh(session: Session, ask: Callable[[Session], object]) -> None:
    session.expunge_all()
    ask(session)


def _page(scope: Scope, search: str, status: LinkStatus | None) -> Callable[[Session], object]:
    """What a page of the list asks: which invoices, and those with their links."""

    def ask(session: Session) -> object:
        ids = list_page.find_page(
            session, scope.organisation_id, search, status=status, after=None, limit=PAGE
        )
        return invoices.list_known(session, scope, ids)

    return ask


def _count(connection: sa.Connection) -> object:
    return connection.execute(sa.text(obvious_bot.COUNTS)).all()


def _last_tenth(count: int) -> str:
    """What the numbers of the last tenth begin with."""
    return f"{count - count // 10:07d}".rstrip("0")
