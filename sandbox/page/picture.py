"""What a browser is told of a workspace: plain JSON, made from the workspace's own records."""

from __future__ import annotations

from typing import Any

from sandbox.slack.state.model import Channel, Message, Outcome, Person
from sandbox.slack.workspace import Workspace

Json = dict[str, Any]
COLOURS = 6
UNOPENED = "app"
"""Stands for the app's direct messages with somebody until the first of them opens the conversation."""


def furniture(workspace: Workspace, user: str, app_name: str) -> Json:
    """Return the people, and the conversations that `user` is in: channels first, then the app's direct messages."""
    people = [_person(person, place, app_name) for place, person in enumerate(workspace.people)]
    if not any(person["id"] == workspace.bot_user_id for person in people):
        people.append({"id": workspace.bot_user_id, "name": app_name, "bot": True, "color": 0})
    channels = [
        _channel(channel)
        for channel in workspace.channels
        if user in channel.members and not channel.archived
    ]
    channels.append({"id": workspace.dm_channel(user) or UNOPENED, "name": app_name, "kind": "im"})
    return {"people": people, "channels": channels}


def message_json(message: Message) -> Json:
    """Return a message with what only its readers see."""
    return {**message.as_json(with_metadata=False), "ephemeral_to": message.ephemeral_to}


def conversation(workspace: Workspace, user: str, channel: str) -> list[Json]:
    """Return what `user` sees in a channel, oldest first."""
    return [message_json(message) for message in workspace.messages(channel, seen_by=user)]


def outcome_json(outcome: Outcome) -> Json:
    """Return an outcome as the browser's answer."""
    return {
        "ok": outcome.ok,
        "error": outcome.error,
        "shown": outcome.shown,
        "errors": outcome.errors,
        "options": outcome.options,
    }


def refusal(error: str, shown: str) -> Json:
    """Return the answer to something that the workspace never saw."""
    return {"ok": False, "error": error, "shown": shown, "errors": {}, "options": []}


def _person(person: Person, place: int, app_name: str) -> Json:
    name = app_name if person.is_bot else person.real_name
    return {"id": person.id, "name": name, "bot": person.is_bot, "color": place % COLOURS}


def _channel(channel: Channel) -> Json:
    return {"id": channel.id, "name": channel.name, "kind": channel.kind}
