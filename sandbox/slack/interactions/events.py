"""The Events API: events that the manifest subscribes to, sent again while nobody acknowledges them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from sandbox.slack.interactions import payloads
from sandbox.slack.state.app import Ack, Delivery
from sandbox.slack.state.model import Json
from sandbox.slack.state.team import Team


class Background:
    """Tasks that outlive the call that started them, awaited or cancelled when the server stops."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def emit(team: Team, delivery: Delivery, background: Background, body: Json) -> Ack | None:
    """Sends an event and returns the first attempt's ack, or None if the manifest doesn't subscribe to it.

    Up to three more attempts follow (Slack docs: apis/events-api#retries; limits.event_retry_seconds).
    """
    if not team.app.manifest.subscribes(body["type"]):
        return None
    payload = payloads.event(team, body)
    ack = await delivery.send("events_api", payload)
    if not ack.acked:
        background.start(_again(team, delivery, payload, ack))
    return ack


async def _again(team: Team, delivery: Delivery, payload: Json, ack: Ack) -> None:
    for attempt, pause in enumerate(team.app.limits.event_retry_seconds, start=1):
        await asyncio.sleep(pause)
        reason = "timeout" if ack.error == "operation_timeout" else "error"
        ack = await delivery.send("events_api", payload, retry=(attempt, reason))
        if ack.acked:
            return
