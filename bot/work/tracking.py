"""What is under way, so that a shut-down can wait for it."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import structlog


class Tracker:
    """Counts what has begun and not ended, and holds on to the tasks that it was given."""

    def __init__(self) -> None:
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching: set[asyncio.Task[None]] = set()
        self._finishing = False
        self._log = structlog.get_logger("bot.work.tracking")

    @property
    def under_way(self) -> int:
        """How much has begun and not ended."""
        return self._under_way

    def track(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` to its end in a task of its own; whatever it raises is logged."""
        self.begin()
        self._start(work, self._tasks).add_done_callback(lambda _: self.end())

    def watch(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` for as long as the bot runs: nobody waits for it at the end, when none is begun any more."""
        if self._finishing:
            work.close()
        else:
            self._start(work, self._watching)

    def begin(self) -> None:
        self._under_way += 1
        self._idle.clear()

    def end(self) -> None:
        self._under_way -= 1
        if self._under_way == 0:
            self._idle.set()

    async def finish(self, patience: float) -> bool:
        """Wait until nothing is under way, ``patience`` seconds at most; then cancel the tasks. Whether all ended."""
        deadline = time.monotonic() + max(patience, 0)
        self._finishing = True
        for task in self._watching:
            task.cancel()
        while True:
            # An event's listener begins a moment after its acknowledgement.
            await asyncio.sleep(0.02)
            if self._idle.is_set():
                return True
            try:
                await asyncio.wait_for(self._idle.wait(), deadline - time.monotonic())
            except TimeoutError:
                self._log.warning("work.left", count=self._under_way)
                for task in self._tasks:
                    task.cancel()
                return False

    def _start(self, work: Coroutine[Any, Any, None], kept: set[asyncio.Task[None]]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._attempt(work))
        kept.add(task)
        task.add_done_callback(kept.discard)
        # A task that is cancelled before its first step never gets to its work.
        task.add_done_callback(lambda _: work.close())
        return task

    async def _attempt(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            self._log.exception("work.failed")
