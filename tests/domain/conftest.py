from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.database import Database
from sandbox.stripe.api.rate import RateLimits
from sandbox.stripe.server import LocalStripe
from tests.domain import world as worlds
from tests.domain.world import World


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
