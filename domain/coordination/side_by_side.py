"""The same work for several at once, of whom none waits for another one's trouble."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import TypeVar

T = TypeVar("T", bound=Hashable)

# Seconds. While one is still at it there may be something new to do for the others.
AGAIN = 0.5


async def for_each(
    items: Callable[[], Iterable[T] | Awaitable[Iterable[T]]], work: Callable[[T], Awaitable[object]]
) -> None:
    """Do the work for each of the items, and for the others again while one of them takes long; never twice at a time.

    Whose work fails isn't done again. When all have ended the first failure is raised.
    """
    under_way: dict[T, asyncio.Future[object]] = {}
    failures: dict[T, BaseException] = {}
    try:
        while True:
            found = items()
            for item in await found if isinstance(found, Awaitable) else found:
                if item not in under_way and item not in failures:
                    under_way[item] = asyncio.ensure_future(work(item))
            if under_way:
                await asyncio.wait(under_way.values(), timeout=AGAIN)
            for item, task in list(under_way.items()):
                if task.done():
                    del under_way[item]
                    if (error := task.exception()) is not None:
                        failures[item] = error
            if not under_way:
                break
    finally:
        for task in under_way.values():
            task.cancel()
        await asyncio.gather(*under_way.values(), return_exceptions=True)
    for failure in failures.values():
        raise failure
