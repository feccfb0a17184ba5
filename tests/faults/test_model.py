"""Paylink against its model: 500 examples of 50 steps with PAYLINK_MODEL=long (`make campaign`), fewer without."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from domain.database import Database
from domain.models import Base
from domain.summaries import Announcement
from tests.faults import ablations
from tests.faults.model import PaylinkModel
from tests.faults.timeless import SlackChannel, quicken_sqlite

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
    template = Path(sqlite_url.removeprefix("sqlite:///"))

    def open_database(directory: Path) -> tuple[Database, Callable[[], None]]:
        shutil.copyfile(template, directory / "paylink.db")
        db = Database(f"sqlite:///{directory}/paylink.db")
        quicken_sqlite(db)
        return db, lambda: None

    return _examine_on(open_database)


@pytest.fixture
def examine_postgresql(postgresql_url: str) -> Callable[[int], None]:
    """As examine, on PostgreSQL, where each example finds the one database empty."""
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)

    def open_database(directory: Path) -> tuple[Database, Callable[[], None]]:
        db = Database(postgresql_url)
        empty = sa.text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        db.run(lambda session: session.execute(empty))
        return db, lambda: None

    return _examine_on(open_database)


def _examine_on(
    open_database: Callable[[Path], tuple[Database, Callable[[], None]]],
) -> Callable[[int], None]:
    PaylinkModel.open_database = open_database

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


def so_many() -> int:
    return LONG if os.environ.get("PAYLINK_MODEL") == "long" else BRIEF


@pytest.mark.timeout(7200)
def test_paylink_comes_to_what_its_model_says(examine: Callable[[int], None]) -> None:
    examine(so_many())


@pytest.mark.postgres
@pytest.mark.timeout(14400)
def test_so_it_does_on_postgresql(examine_postgresql: Callable[[int], None]) -> None:
    examine_postgresql(so_many())


@pytest.mark.timeout(900)
def test_the_model_sees_links_that_fresh_idempotency_keys_double(examine: Callable[[int], None]) -> None:
    undo = ablations.use_fresh_keys()
    try:
        with pytest.raises(AssertionError):
            examine(UNTIL_SEEN)
    finally:
        undo()


@pytest.mark.timeout(900)
def test_the_model_sees_messages_that_blind_posts_double(
    examine: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find(self: SlackChannel, announcement: Announcement) -> None:
        return None

    monkeypatch.setattr(SlackChannel, "find", find)
    with pytest.raises(AssertionError):
        examine(UNTIL_SEEN)
