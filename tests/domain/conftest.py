from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.database import Database
from domain.messages import announcing, transactions
from sandbox.stripe.api.rate import RateLimits
from sandbox.stripe.server import LocalStripe
from tests.domain import world as worlds
from tests.domain.world import World

SHIPPED_PACE = announcing.ONE_A_SECOND, transactions.LEAST_APART


@pytest.fixture(autouse=True)
def _quick_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages follow one another at once, but in the tests that are about their pace."""
    monkeypatch.setattr(announcing, "ONE_A_SECOND", timedelta(milliseconds=1))
    monkeypatch.setattr(transactions, "LEAST_APART", 0.0)


@pytest.fixture
def one_a_second(monkeypatch: pytest.MonkeyPatch, _quick_channels: None) -> None:
    """The pace that is shipped."""
    monkeypatch.setattr(announcing, "ONE_A_SECOND", SHIPPED_PACE[0])
    monkeypatch.setattr(transactions, "LEAST_APART", SHIPPED_PACE[1])


@pytest.fixture
async def stripe() -> AsyncIterator[LocalStripe]:
    async with LocalStripe(limits=RateLimits(live=None, test=None, endpoint=None)) as server:
        yield server


@pytest.fixture
async def world(db: Database, stripe: LocalStripe) -> AsyncIterator[World]:
    async with worlds.world(db, stripe) as one:
        yield one


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def blank_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table; the test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/blank.db"
    url: str = request.getfixturevalue("blank_postgresql_url")
    return url
