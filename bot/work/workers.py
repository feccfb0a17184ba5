"""Work that goes on for as long as the bot runs: woken when there is something to do, and ever again by the clock."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

import structlog

from bot.watch.health import Health, database_problem
from domain.errors import DatabaseUnavailable
from domain.stripe.errors import StripeTrouble

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0


class Worker:
    """Runs ``work`` once for each wake, and never twice at a time; wakes that come meanwhile make one more run.

    ``work`` returns when all that is due now is done. Whatever it raises is survived: logged, then waited out with a
    delay that doubles up to half a minute. Whoever sets ``woken`` wakes it.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[object]],
        health: Health,
        woken: asyncio.Event,
        *,
        first_delay: float = FIRST_DELAY,
    ) -> None:
        self.name = name
        self._work = work
        self._health = health
        self._first_delay = first_delay
        self._woken = woken
        self._stopped = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("bot.work.workers").bind(worker=name)

    def wake(self) -> None:
        """There may be something to do. May be called at any time, from the loop's thread."""
        self._woken.set()

    def start(self) -> None:
        """Begin, with a first run at once."""
        self.wake()
        self._task = asyncio.create_task(self._run(), name=f"worker-{self.name}")

    async def stop(self, patience: float) -> None:
        """Begin no further run; give the one under way ``patience`` seconds to end by itself, then cancel it.

        What a cancelled run had claimed comes free again when its lease ends.
        """
        self._stopped.set()
        self.wake()
        if self._task is None:
            return
        _, pending = await asyncio.wait({self._task}, timeout=max(patience, 0))
        if pending:
            self._log.warning("worker.cancelled")
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        failures = 0
        while True:
            await self._woken.wait()
            self._woken.clear()
            if self._stopped.is_set():
                return
            try:
                await self._work()
            except Exception as error:
                failures += 1
                self._tell(error, failures)
                await self._pause(failures)
            else:
                failures = 0

    def _tell(self, error: Exception, failures: int) -> None:
        if isinstance(error, DatabaseUnavailable):
            self._health.bad("database", database_problem(error))
            self._log.warning("worker.waits_for_database", failures=failures, exc_info=error)
        elif isinstance(error, StripeTrouble):
            # Each request's outcome reaches Health through StripeApi.on_request.
            self._log.info("worker.waits_for_stripe", error=type(error).__name__, failures=failures)
        else:
            self._log.error("worker.failed", failures=failures, exc_info=error)

    async def _pause(self, failures: int) -> None:
        delay = min(self._first_delay * 2 ** min(failures - 1, 10), LONGEST_DELAY)
        delay *= random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries, keeps no secret
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), delay)
        self.wake()
