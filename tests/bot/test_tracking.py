"""What is under way is waited for, with patience that ends."""

import asyncio

from bot.tracking import Tracker


async def test_finish_waits_for_tracked_work() -> None:
    tracker, ended = Tracker(), False

    async def work() -> None:
        nonlocal ended
        await asyncio.sleep(0.05)
        ended = True

    tracker.track(work())

    assert await tracker.finish(2)
    assert ended


async def test_work_that_fails_ends_too() -> None:
    tracker = Tracker()

    async def work() -> None:
        raise RuntimeError("bug")

    tracker.track(work())

    assert await tracker.finish(2)


async def test_work_that_outlasts_the_patience_is_cancelled() -> None:
    tracker, cancelled = Tracker(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    tracker.track(work())

    assert not await tracker.finish(0.05)
    await asyncio.wait_for(cancelled.wait(), 1)


async def test_nothing_under_way_is_finished_at_once() -> None:
    assert await asyncio.wait_for(Tracker().finish(10), 1)
