"""What Slack said, remembered for a while: asked for once, however many wait for it."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from slack_sdk.errors import SlackApiError

from handlers.bolt.answers import SLACK_AWAY

FRESH = 300.0
HOLDS = 3600.0
"""Seconds for which an answer is as good as asking, and for which it holds while Slack can't say."""
SOON = 30.0
"""Seconds until Slack is asked again that couldn't say."""
PATIENCE = 1.5
"""Seconds: an acknowledgement may wait for it."""
MOST = 10_000

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Silence(Exception):
    """Slack doesn't say, and hasn't within the last hour."""


@dataclass
class _Kept(Generic[V]):
    value: V
    told_at: float
    ask_again_at: float


class Memory(Generic[K, V]):
    """``ask`` asks Slack, with all that this may raise."""

    def __init__(self, ask: Callable[[K], Awaitable[V]]) -> None:
        self._ask = ask
        self._kept: dict[K, _Kept[V]] = {}
        self._asking: dict[K, asyncio.Future[V]] = {}

    async def recall(self, key: K) -> V:
        """Raises Silence."""
        kept = self._kept.get(key)
        if kept is not None and _now() < kept.ask_again_at:
            return kept.value
        if (asking := self._asking.get(key)) is None:
            asking = self._asking[key] = asyncio.ensure_future(self._learn(key))
            asking.add_done_callback(lambda done: self._asked(key, done))
        try:
            # Whoever asked first may go away: the others wait on.
            return await asyncio.shield(asking)
        except (SlackApiError, *SLACK_AWAY) as error:
            if kept is None or _now() - kept.told_at >= HOLDS:
                raise Silence from error
            kept.ask_again_at = _now() + SOON
            return kept.value

    def forget(self, key: K) -> None:
        self._kept.pop(key, None)

    async def _learn(self, key: K) -> V:
        async with asyncio.timeout(PATIENCE):
            value = await self._ask(key)
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = _Kept(value, _now(), _now() + FRESH)
        return value

    def _asked(self, key: K, done: asyncio.Future[V]) -> None:
        self._asking.pop(key, None)
        if not done.cancelled():
            done.exception()  # it was told to whoever waited


def _now() -> float:
    return asyncio.get_running_loop().time()
