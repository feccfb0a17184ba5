"""Paylink against its model, in a few examples that are always the same; `make model` has 500 longer ones."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import structlog

from domain.messages.poster_port import PostUnknown
from domain.messages.summaries import Announcement
from sandbox.stripe.faults import FaultKind
from tests.domain.world import ADA
from tests.faults import ablations
from tests.faults.examples import copied, emptied, examine
from tests.faults.model import PaylinkModel
from tests.faults.timeless import SlackChannel

BRIEF = 15
Acts = Callable[[PaylinkModel], None]


@pytest.fixture(autouse=True)
def _no_logs() -> Iterator[None]:
    """Thousands of deaths would fill them."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture
def _on_sqlite(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    open_database = copied(Path(sqlite_url.removeprefix("sqlite:///")))
    monkeypatch.setattr(PaylinkModel, "open_database", staticmethod(open_database), raising=False)


@pytest.fixture
def _on_postgresql(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PaylinkModel, "open_database", staticmethod(emptied(postgresql_url)), raising=False)


def follow(acts: Acts) -> None:
    """Let a model do just this, and compare in the end; raises what it saw first."""
    model = PaylinkModel()
    try:
        model.begin()
        acts(model)
    except AssertionError:
        with suppress(AssertionError):
            model.teardown()
        raise
    model.teardown()


@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("_on_sqlite")
def test_paylink_comes_to_what_its_model_says() -> None:
    examine(PaylinkModel, examples=BRIEF, steps=40, chosen=None)


@pytest.mark.postgres
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("_on_postgresql")
def test_so_it_does_on_postgresql() -> None:
    examine(PaylinkModel, examples=BRIEF, steps=40, chosen=None)


def lose_the_answer_to_a_creation(model: PaylinkModel) -> None:
    """The link is there, and nobody is told; the next attempt is made by the process that knows of the first."""
    model.create_one(ADA, 2, FaultKind.LOST, None)
    model.work(120, None, [], None, sweep=False)
    model.no_invoice_has_two_links()


def lose_the_answer_to_a_post(model: PaylinkModel) -> None:
    model.pay(0, 1, 0, 1, wrongly=False)
    model.work(10, None, [(True, PostUnknown("lost"))], None, sweep=False)
    model.work(120, None, [], None, sweep=False)
    model.no_announcement_is_posted_twice()


def lose_the_answer_to_a_post_of_several(model: PaylinkModel) -> None:
    model.create_all(ADA, None, None, twice=False)
    model.work(10, None, [], None, sweep=False)
    for link in range(4):
        model.pay(link, 1, 0, 1, wrongly=False)
    model.work(10, None, [(True, PostUnknown("lost"))], None, sweep=False)
    model.work(120, None, [], None, sweep=False)
    assert any(one.together for one in model.slack.posted)
    model.no_announcement_is_posted_twice()


# What follows is directed, since a search comes upon what is missing in one example of a hundred.


@pytest.mark.parametrize(
    "acts", [lose_the_answer_to_a_creation, lose_the_answer_to_a_post, lose_the_answer_to_a_post_of_several]
)
@pytest.mark.usefixtures("_on_sqlite")
def test_a_lost_answer_doubles_nothing(acts: Acts) -> None:
    follow(acts)


@pytest.mark.usefixtures("_on_sqlite")
def test_the_model_sees_links_that_fresh_idempotency_keys_double() -> None:
    undo = ablations.use_fresh_keys()
    try:
        with pytest.raises(AssertionError, match="'INV-2': 2"):
            follow(lose_the_answer_to_a_creation)
    finally:
        undo()


@pytest.mark.parametrize("acts", [lose_the_answer_to_a_post, lose_the_answer_to_a_post_of_several])
@pytest.mark.usefixtures("_on_sqlite")
def test_the_model_sees_messages_that_blind_posts_double(acts: Acts, monkeypatch: pytest.MonkeyPatch) -> None:
    async def find(self: SlackChannel, announcement: Announcement) -> None:
        return None

    monkeypatch.setattr(SlackChannel, "find", find)
    with pytest.raises(AssertionError, match=": 2"):
        follow(acts)
