"""Paylink against its model: 500 examples of 50 steps with PAYLINK_MODEL=long (`make campaign`), fewer without."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from domain.summaries import Announcement
from tests.faults import ablations
from tests.faults.model import PaylinkModel
from tests.faults.timeless import SlackChannel

BRIEF = 15
# What is missing shows in one example of ten; the first ends the search.
UNTIL_SEEN = 150
LONG = 500


@pytest.fixture(autouse=True)
def _no_logs() -> Iterator[None]:
    """Thousands of deaths would fill them."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture
def examine(sqlite_url: str) -> Callable[[int], None]:
    """Run so many examples of the model: always the same ones, or 500 longer ones that are others each time."""
    PaylinkModel.template = Path(sqlite_url.removeprefix("sqlite:///"))

    def run(examples: int) -> None:
        long = examples >= LONG
        how = settings(
            max_examples=examples,
            stateful_step_count=50 if long else 40,
            derandomize=not long,
            deadline=None,
            database=None,
            phases=tuple(Phase) if long else (Phase.generate,),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(PaylinkModel, settings=how)

    return run


@pytest.mark.timeout(3600)
def test_paylink_comes_to_what_its_model_says(examine: Callable[[int], None]) -> None:
    examine(LONG if os.environ.get("PAYLINK_MODEL") == "long" else BRIEF)


def test_the_model_sees_links_that_fresh_idempotency_keys_double(examine: Callable[[int], None]) -> None:
    undo = ablations.use_fresh_keys()
    try:
        with pytest.raises(AssertionError):
            examine(UNTIL_SEEN)
    finally:
        undo()


def test_the_model_sees_messages_that_blind_posts_double(
    examine: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find(self: SlackChannel, announcement: Announcement) -> None:
        return None

    monkeypatch.setattr(SlackChannel, "find", find)
    with pytest.raises(AssertionError):
        examine(UNTIL_SEEN)
