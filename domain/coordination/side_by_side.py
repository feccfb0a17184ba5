"""The same work for several at once, of whom none waits for another one's trouble."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

T = TypeVar("T", bound=Hashable)

# Seconds. While one is still at it there may be something new to do for the others.
AGAIN = 0.5
# With many there may always be one that is at it, and whose work has failed is tried again after so long.
LONGEST = 60.0
# A thousand that are due together don't crowd out people.
AT_ONCE = 32
# Whoever takes long waits for somebody outside, and costs nothing meanwhile but a connection.
MOST_LATE = 200

_log = structlog.get_logger()


async def for_each(
    items: Callable[[], Iterable[T] | Awaitable[Iterable[T]]],
    work: Callable[[T], Awaitable[object]],
    *,
    at_once: int = AT_ONCE,
    again: float = AGAIN,
) -> None:
    """Do the work for each of the items, and for the others again while some of them take long; never twice at a time.

    ``at_once`` are begun at a time; who was waited for longest comes next. Whoever takes longer than ``again`` seconds makes room for
    the next one, so that however many hang, up to MOST_LATE, the others go on; ``items`` is asked as often. Whose work fails isn't
    done again within a minute. When all have ended the first failure is raised; one that is as old as that is logged before.
    """
    crowd: _Crowd[T] = _Crowd(work, at_once, again)
    loop = asyncio.get_running_loop()
    ask_at = loop.time()
    try:
        while True:
            if ask_at <= loop.time():
                found = items()
                crowd.add(await found if isinstance(found, Awaitable) else found)
                ask_at = loop.time() + again
            crowd.begin()
            if not crowd.under_way:
                break
            first = asyncio.FIRST_COMPLETED if crowd.waiting else asyncio.ALL_COMPLETED
            await asyncio.wait(crowd.under_way.values(), timeout=again, return_when=first)
            crowd.collect()
            if not crowd.under_way and not crowd.waiting:
                break
    finally:
        for task in crowd.under_way.values():
            task.cancel()
        await asyncio.gather(*crowd.under_way.values(), return_exceptions=True)
    for _, failure in crowd.failures.values():
        raise failure


@dataclass
class _Crowd(Generic[T]):
    work: Callable[[T], Awaitable[object]]
    at_once: int
    again: float
    under_way: dict[T, asyncio.Future[object]] = field(default_factory=dict)
    since: dict[T, float] = field(default_factory=dict)
    failures: dict[T, tuple[float, BaseException]] = field(default_factory=dict)
    waiting: dict[T, None] = field(default_factory=dict)

    def add(self, items: Iterable[T]) -> None:
        now = asyncio.get_running_loop().time()
        for item, (at, error) in list(self.failures.items()):
            if now - at >= LONGEST:
                del self.failures[item]
                _log.error("turn.failed", error=type(error).__name__, exc_info=error)
        for item in items:
            if item not in self.under_way and item not in self.failures:
                self.waiting[item] = None

    def begin(self) -> None:
        now = asyncio.get_running_loop().time()
        late = sum(now - since >= self.again for since in self.since.values())
        free = self.at_once + min(late, MOST_LATE) - len(self.under_way)
        for item in list(self.waiting)[: max(free, 0)]:
            del self.waiting[item]
            self.under_way[item] = asyncio.ensure_future(self.work(item))
            self.since[item] = now

    def collect(self) -> None:
        now = asyncio.get_running_loop().time()
        for item, task in list(self.under_way.items()):
            if task.done():
                del self.under_way[item], self.since[item]
                if (error := task.exception()) is not None:
                    self.failures[item] = now, error


async def few_at_once(items: Iterable[T], work: Callable[[T], Awaitable[object]]) -> None:
    """Do the work once for each of the items, a bounded number at a time. When all have ended the first failure is raised."""
    left = list(items)

    def take() -> list[T]:
        taken, left[:] = left[:], []
        return taken

    await for_each(take, work)
