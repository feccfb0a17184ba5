from collections.abc import AsyncIterator

import pytest

from bot.local.stripe.rate import RateLimits
from bot.local.stripe.server import LocalStripe
from domain.database import Database
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
