"""One workspace's data and the few ways in which it changes; every visible change is published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.slack.state.app import InstalledApp
from sandbox.slack.state.errors import SlackError
from sandbox.slack.state.model import Channel, File, Group, Happening, Json, Message, Person, View
from sandbox.slack.state.watching import Broadcast

TRIGGER_REMEMBERED_SECONDS = 600.0


@dataclass
class Trigger:
    """A trigger_id: works once, for a few seconds (Slack docs: interactivity#trigger_ids)."""

    user: str
    issued: float
    from_modal: bool
    used: bool = False


@dataclass
class ResponseUrl:
    """A response_url: a few uses within half an hour, bound to a person, a channel and perhaps a message."""

    user: str
    channel: str
    expires: float
    message: tuple[str, str] | None
    uses: int = 0


class Team:
    """A workspace; `scopes` are what the app was granted in it, `tokens` its bot tokens and when each ends (None: never)."""

    def __init__(self, app: InstalledApp, team_id: str, name: str, bot_token: str) -> None:
        """Without a `bot_token` the app isn't installed in it yet."""
        self.app = app
        self.team_id = team_id
        self.name = name
        self.domain = "".join(c for c in name.lower() if c.isalnum()) or "workspace"
        self.tokens: dict[str, float | None] = {}
        self.refresh_token = ""
        self.spent: dict[str, float] = {}
        """Refresh tokens that were used, and how long each is taken once more."""
        self.bot_user_id = app.identifier("U")
        self.bot_id = app.identifier("B")
        self.scopes: list[str] = []
        self.enterprise_id: str | None = None
        """The Enterprise Grid organisation that the workspace belongs to."""
        self.org_wide = False
        """The app is installed in the organisation, and its token is the organisation's."""
        self.people: dict[str, Person] = {}
        self.groups: dict[str, Group] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, list[Message]] = {}
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.files: dict[str, File] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.offered: dict[tuple[str, str, str], list[Json]] = {}
        self.on_message: Callable[[Message, str], None] = lambda message, change: None
        """Told of each message of the app's, and of each change of any; what a person says is sent on at once."""
        self.on_uninstalled: Callable[[], None] = lambda: None
        """Told when the app's last token has ended."""
        self.broadcast = Broadcast()
        self._last_microsecond = 0
        if bot_token:
            self.install(app.manifest.bot_scopes, bot_token)

    # ---- the app in it ----------------------------------------------------------------------------------------------

    @property
    def bot_token(self) -> str:
        """The newest one; empty while the app isn't installed."""
        return next(reversed(self.tokens), "")

    @property
    def installed(self) -> bool:
        return bool(self.tokens)

    def install(self, scopes: list[str], token: str) -> None:
        """Scopes only grow while it is installed (Slack docs: authentication/installing-with-oauth). `token` may be empty
        where one is made besides."""
        self.scopes = list(dict.fromkeys([*self.scopes, *scopes]))
        if token:
            self.tokens[token] = None
        handle = "".join(c if c.isalnum() else "_" for c in self.app.manifest.bot_name.lower())
        self.people[self.bot_user_id] = Person(
            self.bot_user_id, handle, self.app.manifest.bot_name, is_bot=True
        )
        if token:
            self.tell_installed()

    def tell_installed(self) -> None:
        """Clients show at once what the app brings."""
        self.publish("app_installed", {})

    def take_bot_of(self, other: Team) -> None:
        """In an organisation the app's user is the same one in all workspaces."""
        bot = self.people.pop(self.bot_user_id)
        for channel in self.channels.values():
            if self.bot_user_id in channel.members:
                channel.members = channel.members - {self.bot_user_id} | {other.bot_user_id}
        self.bot_user_id = bot.id = other.bot_user_id
        self.people[bot.id] = bot

    def uninstall(self) -> None:
        """No token is left, and the app is in no channel any more."""
        self.lose()
        self.on_uninstalled()

    def lose(self) -> None:
        """The app is gone from it; whoever has its token isn't told."""
        self.tokens.clear()
        self.refresh_token = ""
        self.spent.clear()
        self.scopes = []
        self.org_wide = False
        for channel in self.channels.values():
            if channel.kind != "im":
                channel.members.discard(self.bot_user_id)
        self.people.pop(self.bot_user_id, None)
        self.stacks.clear()
        self.homes.clear()
        self.publish("app_removed", {})

    def has(self, args: Json) -> bool:
        """Whether something that a call names by its id is in this workspace."""
        named = [args.get(name) for name in ("channel", "user", "users", "user_id")]
        there = any(one in self.channels or one in self.people for one in named)
        return (
            there
            or args.get("trigger_id") in self.triggers
            or bool(args.get("view_id") and self.find_view(args["view_id"]))
        )

    def publish(self, kind: str, data: Json, *, user: str | None = None, channel: str | None = None) -> None:
        self.broadcast.publish(Happening(kind, self.team_id, user, channel, data))

    def next_ts(self) -> str:
        """A message timestamp, unique and growing within the workspace."""
        self._last_microsecond = max(self._last_microsecond + 1, int(self.app.clock() * 1_000_000))
        seconds, micros = divmod(self._last_microsecond, 1_000_000)
        return f"{seconds}.{micros:06d}"

    # ---- triggers and response_urls ---------------------------------------------------------------------------------

    def issue_trigger(self, user: str, *, from_modal: bool = False) -> str:
        self._forget()
        trigger_id = f"{self.app.random.randrange(10**12)}.{self.app.random.randrange(10**11)}.{self.app.random.randrange(16**32):032x}"
        self.triggers[trigger_id] = Trigger(user, self.app.clock(), from_modal)
        return trigger_id

    def _forget(self) -> None:
        """Drops what has been of no use for long, so that a workspace may run for days."""
        now = self.app.clock()
        while self.triggers and now - next(iter(self.triggers.values())).issued > TRIGGER_REMEMBERED_SECONDS:
            del self.triggers[next(iter(self.triggers))]
        while self.response_urls and now > next(iter(self.response_urls.values())).expires:
            del self.response_urls[next(iter(self.response_urls))]

    def redeem_trigger(self, trigger_id: str) -> Trigger:
        """Slack docs: methods/views.open, errors; a trigger of another workspace is as good as none."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self.app.clock() - trigger.issued > self.app.limits.trigger_seconds:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger

    def issue_response_url(
        self, user: str, channel: str, *, kind: str, message: tuple[str, str] | None = None
    ) -> str:
        key = f"{self.app.random.randrange(10**13)}/{self.app.random.randrange(16**24):024x}"
        expires = self.app.clock() + self.app.limits.response_url_seconds
        self.response_urls[key] = ResponseUrl(user, channel, expires, message)
        return f"{self.app.base_url}/{kind}/{self.team_id}/{key}"

    # ---- conversations ----------------------------------------------------------------------------------------------

    def dm_with(self, user: str) -> Channel:
        """The app's direct-message conversation with a person, made on first use."""
        for channel in self.channels.values():
            if channel.kind == "im" and user in channel.members:
                return channel
        channel = Channel(self.app.identifier("D"), "directmessage", "im", {user, self.bot_user_id})
        self.channels[channel.id] = channel
        self.publish("channel_changed", channel_json(channel), user=user, channel=channel.id)
        return channel

    def post(self, message: Message) -> Message:
        self.messages.setdefault(message.channel, []).append(message)
        self.show(message, "message_posted")
        if message.bot_id:
            self.on_message(message, "")
        return message

    def show(self, message: Message, kind: str) -> None:
        data = {**message.as_json(), "channel": message.channel, "ephemeral_to": message.ephemeral_to}
        self.publish(kind, data, user=message.ephemeral_to, channel=message.channel)
        if kind != "message_posted":
            self.on_message(message, kind)

    def find_message(self, channel: str, ts: str) -> Message | None:
        return next((m for m in self.messages.get(channel, []) if m.ts == ts), None)

    def delete(self, message: Message) -> None:
        self.messages[message.channel].remove(message)
        self.show(message, "message_deleted")

    def app_message(self, channel: str, text: str, blocks: list[Json], **more: Any) -> Message:
        """A message by the app, not posted yet."""
        return Message(
            self.team_id,
            channel,
            self.next_ts(),
            self.bot_user_id,
            text,
            blocks,
            bot_id=self.bot_id,
            app_id=self.app.app_id,
            **more,
        )

    # ---- views ------------------------------------------------------------------------------------------------------

    def open_views(self) -> list[View]:
        return [view for stack in self.stacks.values() for view in stack] + list(self.homes.values())

    def find_view(self, view_id: str | None = None, external_id: str | None = None) -> View | None:
        for view in self.open_views():
            if view.id == view_id or (external_id and view.payload.get("external_id") == external_id):
                return view
        return None


def channel_json(channel: Channel) -> Json:
    """A conversation object (Slack docs: reference/objects/conversation-object)."""
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": channel.kind == "public",
        "is_group": channel.kind == "private",
        "is_im": channel.kind == "im",
        "is_private": channel.kind != "public",
        "is_archived": channel.archived,
    }
