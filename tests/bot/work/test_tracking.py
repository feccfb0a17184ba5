"""What is under way is waited for, with patience that ends."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bot.work.tracking import Tracker
from tests.patience import PATIENCE


async def test_finish_waits_for_tracked_work() -> None:
    tracker, ended = Tracker(), False

    async def work() -> None:
        nonlocal ended
        await asyncio.sleep(0.05)
        ended = True

    tracker.track(work())

    assert await tracker.finish(PATIENCE)
    assert ended


async def test_work_that_fails_ends_too() -> None:
    tracker = Tracker()

    async def work() -> None:
        raise RuntimeError("bug")

    tracker.track(work())

    assert await tracker.finish(PATIENCE)


async def test_work_that_outlasts_the_patience_is_cancelled() -> None:
    tracker, cancelled = Tracker(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    tracker.track(work())

    assert not await tracker.finish(0.05)
    await cancelled.wait()


async def test_nothing_under_way_is_finished_at_once() -> None:
    # Its patience is longer than the test may take.
    assert await Tracker().finish(3600)


async def test_nothing_more_is_watched_once_it_finishes() -> None:
    tracker, watched = Tracker(), False

    async def watch() -> None:
        nonlocal watched
        watched = True

    async def work() -> None:
        await asyncio.sleep(0.05)
        tracker.watch(watch())

    tracker.track(work())

    assert await tracker.finish(PATIENCE)
    await asyncio.sleep(0.01)
    assert not watched


@pytest.mark.parametrize("begin", [Tracker.track, Tracker.watch])
async def test_work_cancelled_before_its_first_step_is_closed(
    begin: Callable[[Tracker, Coroutine[Any, Any, None]], None],
) -> None:
    tracker = Tracker()
    work = asyncio.sleep(60)

    begin(tracker, work)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()

    assert await tracker.finish(PATIENCE)
    assert inspect.getcoroutinestate(work) == inspect.CORO_CLOSED
