"""The stream of what clients would show, for the demo's page and for tests that wait."""

from __future__ import annotations

import asyncio
from types import TracebackType

from sandbox.slack.state.model import Happening

PATIENCE = 60.0
"""Seconds that end a wait for what never comes; whatever does come, comes sooner on the busiest machine."""


class Subscription:
    """An asynchronous iterator of Happening; it misses nothing from the moment when it was made until `close`."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self._queue: asyncio.Queue[Happening | None] = asyncio.Queue()

    def put(self, happening: Happening | None) -> None:
        self._queue.put_nowait(happening)

    def close(self) -> None:
        self._broadcast.drop(self)
        self.put(None)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Happening:
        happening = await self._queue.get()
        if happening is None:
            raise StopAsyncIteration
        return happening


class Broadcast:
    """Hands each happening to every subscription, and wakes those who wait for anything at all to change."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []
        self._changed = asyncio.Event()

    def subscribe(self) -> Subscription:
        subscription = Subscription(self)
        self._subscriptions.append(subscription)
        return subscription

    def drop(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def publish(self, happening: Happening) -> None:
        for subscription in list(self._subscriptions):
            subscription.put(happening)
        self.touch()

    def touch(self) -> None:
        """Something changed that no client shows, such as a call that was answered."""
        self._changed.set()
        self._changed = asyncio.Event()

    def next_change(self) -> asyncio.Event:
        """Set as soon as anything changes from now on."""
        return self._changed
