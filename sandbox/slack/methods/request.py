"""A Web API request's arguments, and what a method asks before it runs (Slack docs: apis/web-api)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.slack.state.errors import SlackError, invalid_arguments
from sandbox.slack.state.model import Channel, Json
from sandbox.slack.state.team import Team


@dataclass(frozen=True)
class Request:
    """Arguments as they came: text from a form or a query, or JSON values."""

    team: Team
    args: Json
    token: str = ""
    granted: Sequence[Team] = ()
    """All workspaces that the token is for."""

    def text(self, name: str, default: str | None = None) -> str:
        """A string argument; invalid_arguments if it is required (no default) and absent."""
        value = self.args.get(name, default)
        if value is None:
            raise invalid_arguments(f"[ERROR] missing required field: {name}")
        if not isinstance(value, str):
            raise invalid_arguments(f"[ERROR] must be a string [json-pointer:/{name}]")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.args.get(name, default)
        return value if isinstance(value, bool) else str(value).lower() in ("1", "true")

    def number(self, name: str, default: int) -> int:
        value = self.args.get(name, default)
        try:
            return int(value)
        except (TypeError, ValueError):
            raise invalid_arguments(f"[ERROR] must be an integer [json-pointer:/{name}]") from None

    def structure(self, name: str, code: str = "invalid_arguments") -> Any:
        """An argument that is JSON, given as such or as text; SlackError(code) if the text is none."""
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise SlackError(code) from None

    def channel(self, name: str = "channel") -> Channel:
        """A conversation by its id, whether or not the app is in it."""
        channel = self.team.channels.get(self.text(name))
        if channel is None:
            raise SlackError("channel_not_found")
        return channel

    def joined(self, channel: Channel) -> Channel:
        """The channel, if the app is a member; private ones that it isn't in don't exist for it."""
        if self.team.bot_user_id not in channel.members:
            raise SlackError("not_in_channel" if channel.kind == "public" else "channel_not_found")
        return channel


@dataclass(frozen=True)
class Method:
    """What runs, and the scopes of which the bot token must hold one (none: any bot token will do)."""

    run: Callable[[Request], Json]
    scopes: tuple[str, ...] = ()


def timestamp(text: str, code: str) -> float:
    """A message timestamp such as 1512085950.000216; SlackError(code) if it isn't one."""
    if not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text):
        raise SlackError(code)
    return float(text)
