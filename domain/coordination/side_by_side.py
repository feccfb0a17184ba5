"""The same work for several at once, of whom none waits for another one's trouble."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import TypeVar

T = TypeVar("T", bound=Hashable)

# Seconds. While one is still at it there may be something new to do for the others.
AGAIN = 0.5
# With many there may always be one that is at it, and whose work has failed waits for the end.
LONGEST = 60.0
# With so many at once a few that hang don't hold up the others, and a thousand that are due together don't crowd out people.
AT_ONCE = 32


async def for_each(
    items: Callable[[], Iterable[T] | Awaitable[Iterable[T]]],
    work: Callable[[T], Awaitable[object]],
    *,
    at_once: int = AT_ONCE,
    again: float = AGAIN,
) -> None:
    """Do the work for each of the items, and for the others again while one of them takes long; never twice at a time.

    At most ``at_once`` are worked for at a time; who was waited for longest comes next. ``items`` is asked every ``again`` seconds, for
    a minute at most: then what is under way ends. Whose work fails isn't done again. When all have ended the first failure is
    raised.
    """
    under_way: dict[T, asyncio.Future[object]] = {}
    failures: dict[T, BaseException] = {}
    waiting: dict[T, None] = {}
    loop = asyncio.get_running_loop()
    ask_at = loop.time()
    until = ask_at + LONGEST
    try:
        while True:
            if ask_at <= loop.time() <= until:
                found = items()
                for item in await found if isinstance(found, Awaitable) else found:
                    if item not in under_way and item not in failures:
                        waiting[item] = None
                ask_at = loop.time() + again
            for item in list(waiting)[: max(at_once - len(under_way), 0)]:
                del waiting[item]
                under_way[item] = asyncio.ensure_future(work(item))
            if under_way:
                first = asyncio.FIRST_COMPLETED if waiting else asyncio.ALL_COMPLETED
                await asyncio.wait(under_way.values(), timeout=again, return_when=first)
            for item, task in list(under_way.items()):
                if task.done():
                    del under_way[item]
                    if (error := task.exception()) is not None:
                        failures[item] = error
            if not under_way and not waiting:
                break
    finally:
        for task in under_way.values():
            task.cancel()
        await asyncio.gather(*under_way.values(), return_exceptions=True)
    for failure in failures.values():
        raise failure


async def few_at_once(items: Iterable[T], work: Callable[[T], Awaitable[object]]) -> None:
    """Do the work once for each of the items, a bounded number at a time. When all have ended the first failure is raised."""
    left = list(items)

    def take() -> list[T]:
        taken, left[:] = left[:], []
        return taken

    await for_each(take, work)
