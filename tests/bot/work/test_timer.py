"""The clock wakes, again and again, until it is stopped."""

import asyncio

from bot.work.timer import Tick, Timer


async def test_each_tick_wakes_at_its_own_pace_until_the_stop() -> None:
    fast: asyncio.Queue[None] = asyncio.Queue()
    slow: asyncio.Queue[None] = asyncio.Queue()
    clock = Timer(
        [Tick("fast", 0.02, lambda: fast.put_nowait(None)), Tick("slow", 60, lambda: slow.put_nowait(None))]
    )

    clock.start()
    for _ in range(3):
        await fast.get()
    clock.stop()
    await asyncio.sleep(0)
    seen = fast.qsize()
    await asyncio.sleep(0.1)

    assert fast.qsize() == seen
    assert slow.empty()


async def test_a_clock_that_never_started_can_be_stopped() -> None:
    Timer([]).stop()
