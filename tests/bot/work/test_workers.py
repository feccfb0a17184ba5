"""Workers: woken, never twice at a time, and alive whatever their work raises."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bot.watch.health import DATABASE_AWAY, DATABASE_REPLACED, Health
from bot.work.workers import Worker
from domain.errors import DatabaseReplaced, DatabaseUnavailable
from domain.stripe.errors import StripeAway
from tests.patience import PATIENCE


@asynccontextmanager
async def working(
    work: Callable[[], Awaitable[object]], health: Health | None = None
) -> AsyncIterator[Worker]:
    worker = Worker("test", work, health or Health(), asyncio.Event(), first_delay=0.001)
    worker.start()
    try:
        yield worker
    finally:
        await worker.stop(PATIENCE)


async def test_it_works_at_once_and_after_each_wake() -> None:
    runs: asyncio.Queue[int] = asyncio.Queue()

    async def work() -> None:
        runs.put_nowait(1)

    async with working(work) as worker:
        await runs.get()
        worker.wake()
        await runs.get()
        assert runs.empty()


async def test_wakes_during_a_run_make_exactly_one_more() -> None:
    begun, go_on, again = asyncio.Event(), asyncio.Event(), asyncio.Event()
    running = most = runs = 0

    async def work() -> None:
        nonlocal running, most, runs
        running, runs = running + 1, runs + 1
        most = max(most, running)
        (again if begun.is_set() else begun).set()
        await go_on.wait()
        running -= 1

    async with working(work) as worker:
        await begun.wait()
        for _ in range(5):
            worker.wake()
        go_on.set()
        await again.wait()
        for _ in range(20):
            await asyncio.sleep(0)

    assert (most, runs) == (1, 2)


@pytest.mark.parametrize(
    "error", [RuntimeError("bug"), DatabaseUnavailable(), StripeAway("no answer"), TimeoutError()]
)
async def test_it_survives_what_its_work_raises_and_tries_again(error: Exception) -> None:
    attempts, done = 0, asyncio.Event()

    async def work() -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 4:
            raise error
        done.set()

    async with working(work):
        await done.wait()

    assert attempts == 4


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(DatabaseUnavailable, DATABASE_AWAY), (DatabaseReplaced, DATABASE_REPLACED)],
)
async def test_a_database_that_is_away_reaches_health(error: type[Exception], sentence: str) -> None:
    health, tried = Health(), asyncio.Event()

    async def work() -> None:
        tried.set()
        raise error

    async with working(work, health):
        await tried.wait()
        await asyncio.sleep(0)

    assert health.reasons == {"database": sentence}


async def test_stopping_lets_the_run_under_way_end() -> None:
    begun, ended = asyncio.Event(), False

    async def work() -> None:
        nonlocal ended
        begun.set()
        await asyncio.sleep(0.02)
        ended = True

    worker = Worker("test", work, Health(), asyncio.Event())
    worker.start()
    await begun.wait()
    await worker.stop(PATIENCE)

    assert ended


async def test_stopping_cancels_a_run_that_outlasts_its_patience() -> None:
    begun, cancelled = asyncio.Event(), False

    async def work() -> None:
        nonlocal cancelled
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled = True
            raise

    worker = Worker("test", work, Health(), asyncio.Event())
    worker.start()
    await begun.wait()
    await worker.stop(0.01)

    assert cancelled


async def test_stopping_does_not_wait_for_a_delay_after_a_failure() -> None:
    tried = asyncio.Event()

    async def work() -> None:
        tried.set()
        raise RuntimeError

    # Either would be longer than the test may take.
    worker = Worker("test", work, Health(), asyncio.Event(), first_delay=3600)
    worker.start()
    await tried.wait()
    await worker.stop(3600)
