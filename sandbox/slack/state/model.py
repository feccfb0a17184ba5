"""What a workspace holds: people, conversations, messages, views, files; plain records, no rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Person:
    """Somebody who uses Slack. `name` is the handle, `real_name` is what clients show.

    `guest` is "multi" or "single" for guests of several channels or of one, and empty for members.

    `team_id` is the workspace that Slack names as theirs in what they do, if it isn't the one where they do it: another
    of their workspaces on Enterprise Grid, or their only one (`is_visitor`: they are in channels that it shares), or
    (`is_stranger`) their own company's, from which Slack Connect lets them in.
    """

    id: str
    name: str
    real_name: str
    is_bot: bool = False
    guest: str = ""
    is_admin: bool = False
    team_id: str | None = None
    is_stranger: bool = False
    is_visitor: bool = False
    is_owner: bool = False
    is_primary_owner: bool = False
    deleted: bool = False
    tz: str = "Etc/UTC"


@dataclass
class Group:
    """A user group. A disabled one is still there, and nobody sees it."""

    id: str
    handle: str
    name: str
    users: list[str] = field(default_factory=list)
    disabled: bool = False


@dataclass
class Channel:
    """A conversation: `kind` is "public", "private" or "im"."""

    id: str
    name: str
    kind: str
    members: set[str] = field(default_factory=set)
    archived: bool = False


@dataclass
class Message:
    """A message as it stands. `ephemeral_to` is the one person who sees it, or None for everyone in the channel."""

    team_id: str
    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    files: list[Json] = field(default_factory=list)
    bot_id: str | None = None
    app_id: str | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    edited: str | None = None
    ephemeral_to: str | None = None
    unfurl_links: bool | None = None
    unfurl_media: bool | None = None
    response_url: str | None = None
    values: dict[str, dict[str, Json]] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, str]:
        """The (channel, ts) pair by which people's actions name this message."""
        return self.channel, self.ts

    def as_json(self, *, with_metadata: bool = True) -> Json:
        """The message object as Slack's API and payloads give it (Slack docs: events/message)."""
        shown: Json = {
            "type": "message",
            "user": self.user,
            "text": self.text,
            "ts": self.ts,
            "team": self.team_id,
        }
        if self.bot_id:
            shown |= {"bot_id": self.bot_id, "app_id": self.app_id}
        for name in ("blocks", "attachments", "files", "thread_ts"):
            if getattr(self, name):
                shown[name] = getattr(self, name)
        if self.broadcast:
            shown["subtype"] = "thread_broadcast"
        if self.edited:
            shown["edited"] = {"user": self.user, "ts": self.edited}
        if self.ephemeral_to:
            shown["is_ephemeral"] = True
        if with_metadata and self.metadata:
            shown["metadata"] = self.metadata
        return shown


@dataclass
class View:
    """A modal or a Home tab that somebody has in front of them.

    `payload` is the view as the app gave it, block ids filled in; `values` is the input state as Slack would send it,
    by block_id and action_id; `shown_errors` are the sentences beside inputs, by block_id.
    """

    id: str
    team_id: str
    app_id: str
    bot_id: str
    user: str
    payload: Json
    hash: str
    root_view_id: str
    previous_view_id: str | None = None
    values: dict[str, dict[str, Json]] = field(default_factory=dict)
    shown_errors: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """ "modal" or "home"."""
        return str(self.payload["type"])

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.payload["blocks"]
        return blocks

    def as_json(self) -> Json:
        """The view object with its state (Slack docs: reference/interaction-payloads/view-interactions-payload)."""
        given = self.payload
        return {
            "id": self.id,
            "team_id": self.team_id,
            "type": self.kind,
            "blocks": given["blocks"],
            "private_metadata": given.get("private_metadata", ""),
            "callback_id": given.get("callback_id", ""),
            "state": {"values": self.values},
            "hash": self.hash,
            "title": given.get("title"),
            "clear_on_close": given.get("clear_on_close", False),
            "notify_on_close": given.get("notify_on_close", False),
            "close": given.get("close"),
            "submit": given.get("submit"),
            "previous_view_id": self.previous_view_id,
            "root_view_id": self.root_view_id,
            "app_id": self.app_id,
            "external_id": given.get("external_id", ""),
            "app_installed_team_id": self.team_id,
            "bot_id": self.bot_id,
        }


@dataclass
class File:
    """An uploaded file; `channels` is empty until files.completeUploadExternal has shared it.

    `user` uploaded it. `connected`: it comes from a workspace that is connected with this one.
    """

    id: str
    name: str
    length: int
    title: str = ""
    content: bytes | None = None
    completed: bool = False
    channels: list[str] = field(default_factory=list)
    user: str = ""
    created: int = 0
    connected: bool = False
    deleted: bool = False


@dataclass(frozen=True)
class Call:
    """One Web API request that arrived, and what was answered (`answer` None: the connection was cut)."""

    method: str
    args: Json
    token: str
    at: float
    status: int
    answer: Json | None
    headers: dict[str, str]
    fault: str | None = None

    @property
    def ok(self) -> bool:
        return bool(self.answer and self.answer.get("ok"))

    @property
    def error(self) -> str | None:
        return None if self.answer is None else self.answer.get("error")


@dataclass(frozen=True)
class Outcome:
    """What came of something that a person did.

    `acked`: the app acknowledged within the limit; `milliseconds` from sending to the ack. `error`: Slack's code when
    something went wrong for the person (`operation_timeout`, `dispatch_failed`, `trouble_connecting`, ...), with the
    sentence that they see in `shown`. `errors`: sentences beside inputs, by block_id, whether the client refused the
    form itself (then `sent` is False) or the app answered `response_action: errors`. `body` is what the app's ack carried.
    `options` are the options or groups that the app answered to a type-ahead.
    """

    sent: bool = True
    acked: bool = False
    milliseconds: float = 0.0
    error: str | None = None
    shown: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    body: Any = None
    options: list[Json] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.error is None and not self.errors


@dataclass(frozen=True)
class Happening:
    """Something that a client would now show.

    Kinds: message_posted, message_updated, message_deleted (data: the message object plus channel, ephemeral_to);
    view_opened, view_pushed, view_updated, view_closed (data: the view object); home_published (data: the view object);
    file_shared (data: id, name, title, channel); channel_changed (data: the channel). `user` is the only person
    concerned, or None for everybody who can see `channel`.
    """

    kind: str
    team_id: str
    user: str | None
    channel: str | None
    data: Json
