"""The Events API: events that the manifest subscribes to, sent again while nobody acknowledges them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from sandbox.slack.interactions import payloads
from sandbox.slack.state.app import Ack, Delivery
from sandbox.slack.state.model import Json, Message
from sandbox.slack.state.team import Team

SCOPES = {"app_mention": "app_mentions:read", "message.im": "im:history"}
"""What a token needs to be told of an event (Slack docs: reference/events)."""

ENDS = ("app_uninstalled", "tokens_revoked")
"""What an app is told of after it was removed (Slack docs: reference/events/app_uninstalled, tokens_revoked)."""


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


def of_message(team: Team, message: Message, change: str = "") -> list[Json]:
    """The events that a message brings: message.im in the app's direct messages, its own and its edits among them, and
    app_mention where somebody names it in a channel that it is in.

    Slack docs: reference/events/message.im, app_mention, message/message_changed, message_deleted.
    """
    channel = team.channels[message.channel]
    if message.ephemeral_to:
        return []
    said: Json = {**message.as_json(), "channel": channel.id}
    if message.bot_id is None:
        said["client_msg_id"] = f"{team.app.random.randrange(16**32):032x}"
    if channel.kind == "im":
        within: Json = {"type": "message", "channel": channel.id, "channel_type": "im"}
        if change == "message_updated":
            told = {**message.as_json(), "edited": {"user": message.user, "ts": message.edited or message.ts}}
            return [
                {
                    **within,
                    "subtype": "message_changed",
                    "hidden": True,
                    "message": told,
                    "ts": team.next_ts(),
                }
            ]
        if change == "message_deleted":
            before = message.as_json()
            gone = {"subtype": "message_deleted", "hidden": True, "deleted_ts": message.ts}
            return [{**within, **gone, "previous_message": before, "ts": team.next_ts()}]
        return [{**said, **within}]
    named = f"<@{team.bot_user_id}>" in message.text and team.bot_user_id in channel.members
    return [{**said, "type": "app_mention"}] if named and not message.bot_id and not change else []


async def emit(team: Team, delivery: Delivery, background: Background, body: Json) -> Ack | None:
    """Sends an event and returns the first attempt's ack, or None if the manifest doesn't subscribe to it.

    Up to three more attempts follow (Slack docs: apis/events-api#retries; limits.event_retry_seconds).
    """
    name = f"message.{body['channel_type']}" if body["type"] == "message" else body["type"]
    scope = SCOPES.get(name)
    if not team.app.manifest.subscribes(name) or (scope and scope not in team.scopes):
        return None
    if not team.installed and name not in ENDS:
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
