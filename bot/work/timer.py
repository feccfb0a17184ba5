"""The timer behind the workers: APScheduler jobs that only wake them.

The jobs do nothing themselves, since APScheduler cancels what runs when it is shut down and drops ticks that come too
late (docs/facts/reliability.md); and it is an in-memory timer, so whether something is due, the database says.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler


@dataclass(frozen=True)
class Tick:
    """Call ``wake`` every ``seconds``."""

    name: str
    seconds: float
    wake: Callable[[], None]


class Timer:
    """Runs the ticks between ``start`` and ``stop``, in the running loop."""

    def __init__(self, ticks: Iterable[Tick]) -> None:
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        for tick in ticks:
            # A coroutine runs in the loop; a plain function would run in a thread, where waking isn't allowed.
            self._scheduler.add_job(
                _awaited(tick.wake),
                "interval",
                seconds=tick.seconds,
                id=tick.name,
                misfire_grace_time=None,
                coalesce=True,
                max_instances=1,
            )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)


def _awaited(wake: Callable[[], None]) -> Callable[[], object]:
    async def tick() -> None:
        wake()

    return tick
