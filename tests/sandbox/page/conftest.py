from collections.abc import AsyncIterator

import pytest_asyncio

from tests.sandbox.page.world import World, page_world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[World]:
    async with page_world() as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def world(running: World) -> AsyncIterator[World]:
    yield running
    await running.clear()
