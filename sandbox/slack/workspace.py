"""One Slack workspace seen from its people: what they do, what they see, and what tests may look at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from sandbox.slack.blocks.surfaces import interactive
from sandbox.slack.interactions import acting, events
from sandbox.slack.interactions.acting import Surface as Surface
from sandbox.slack.state.app import Delivery, InstalledApp
from sandbox.slack.state.model import Call, Channel, File, Group, Json, Message, Outcome, Person, View
from sandbox.slack.state.team import Team, channel_json
from sandbox.slack.state.watching import PATIENCE, Subscription

T = TypeVar("T")
NOT_INSTALLED = "This app isn't installed in the workspace."


class Workspace:
    """A workspace. Users and channels are named by their ids everywhere.

    A Surface, where somebody clicks, is a view id (modal or Home) or a message's (channel, ts), `Message.place`.
    Whoever names something that the person can't see or touch gets a LookupError.
    """

    def __init__(self, team: Team, delivery: Delivery, background: events.Background) -> None:
        self.team = team
        self._delivery = delivery
        self._background = background
        team.on_message = self._tell_of
        team.on_uninstalled = self._tell_of_the_end

    @property
    def team_id(self) -> str:
        return self.team.team_id

    @property
    def app(self) -> InstalledApp:
        return self.team.app

    @property
    def installed(self) -> bool:
        return self.team.installed

    @property
    def bot_token(self) -> str:
        return self.team.bot_token

    @property
    def bot_user_id(self) -> str:
        return self.team.bot_user_id

    @property
    def scopes(self) -> list[str]:
        """What the bot token was granted: the manifest's bot scopes; a test may take some away."""
        return self.team.scopes

    # ---- furnishing -------------------------------------------------------------------------------------------------

    def add_person(
        self,
        name: str,
        *,
        real_name: str | None = None,
        user_id: str | None = None,
        guest: str = "",
        admin: bool = False,
        team_id: str | None = None,
        stranger: bool = False,
        visitor: bool = False,
        owner: bool = False,
        primary_owner: bool = False,
        tz: str = "Etc/UTC",
    ) -> str:
        """Adds somebody to the workspace, and members to its public channels, and returns their user id (U...).

        `guest` is "multi" or "single" for a guest of several channels or of one. `team_id`: another workspace that Slack
        names as theirs; `stranger`: and they are here by Slack Connect alone; `visitor`: by a channel of the enterprise alone.
        """
        user = user_id or self.app.identifier("U")
        self.team.people[user] = Person(
            user,
            name,
            real_name or name,
            guest=guest,
            is_admin=admin,
            team_id=team_id,
            is_stranger=stranger,
            is_visitor=visitor,
            is_owner=owner or primary_owner,
            is_primary_owner=primary_owner,
            tz=tz,
        )
        for channel in self.team.channels.values():
            if channel.kind == "public" and not guest:
                channel.members.add(user)
        return user

    def change_person(self, user: str, **changes: bool | str) -> None:
        """Makes somebody an administrator, a guest, deactivated ...: any of Person's fields."""
        for name, value in changes.items():
            if name not in Person.__dataclass_fields__:
                raise LookupError(name)
            setattr(self.team.people[user], name, value)

    def add_group(self, name: str, users: Sequence[str], *, group_id: str | None = None) -> str:
        """Makes a user group and returns its id (S...)."""
        group = Group(group_id or self.app.identifier("S"), name.lower().replace(" ", "-"), name, list(users))
        self.team.groups[group.id] = group
        return group.id

    def change_group(self, group_id: str, users: Sequence[str], *, disabled: bool = False) -> None:
        """Says anew who is in a group, or that it is disabled."""
        self.team.groups[group_id].users, self.team.groups[group_id].disabled = list(users), disabled

    def upload(self, user: str, name: str, content: bytes, *, connected: bool = False) -> str:
        """Puts somebody's file into the workspace, as a client does for a file_input, and returns its id (F...).

        It is in a form once it was chosen there with `click`. `connected`: it belongs to a connected workspace.
        """
        now = int(self.app.clock())
        file = File(self.app.identifier("F"), name, len(content), name, content, completed=True, user=user)
        file.created, file.connected = now, connected
        self.team.files[file.id] = file
        return file.id

    def delete_file(self, file_id: str) -> None:
        """Whoever uploaded it takes it away again."""
        file = self.team.files[file_id]
        file.deleted, file.content = True, None

    def join_enterprise(self, enterprise_id: str, *, org_wide: bool = False) -> None:
        """Makes it a workspace of an Enterprise Grid organisation (E...); `org_wide`: the app is installed in that."""
        self.team.enterprise_id, self.team.org_wide = enterprise_id, org_wide

    def add_channel(
        self,
        name: str,
        *,
        private: bool = False,
        members: Sequence[str] | None = None,
        bot: bool = True,
        channel_id: str | None = None,
    ) -> str:
        """Makes a channel and returns its id (C...). Without `members` everybody is in; `bot` says whether the app is."""
        everybody = [person.id for person in self.people if not person.is_bot]
        inside = set(everybody if members is None else members)
        if bot and self.team.installed:
            inside.add(self.bot_user_id)
        channel = Channel(
            channel_id or self.app.identifier("C"), name, "private" if private else "public", inside
        )
        self.team.channels[channel.id] = channel
        self._changed(channel)
        return channel.id

    async def archive(self, channel: str, *, archived: bool = True) -> None:
        """Archives or restores a channel; sends channel_archive / channel_unarchive (group_... if private)."""
        found = self.team.channels[channel]
        found.archived = archived
        self._changed(found)
        prefix = "channel" if found.kind == "public" else "group"
        await self.emit({"type": f"{prefix}_{'archive' if archived else 'unarchive'}", "channel": channel})

    async def invite_bot(self, channel: str) -> None:
        """Adds the app to a channel; sends member_joined_channel."""
        found = self.team.channels[channel]
        found.members.add(self.bot_user_id)
        self._changed(found)
        body = {"type": "member_joined_channel", "user": self.bot_user_id, "channel": channel}
        await self.emit({**body, "channel_type": "C", "team": self.team_id})

    async def kick_bot(self, channel: str) -> None:
        """Removes the app from a channel; sends channel_left, or group_left if it is private."""
        found = self.team.channels[channel]
        found.members.discard(self.bot_user_id)
        self._changed(found)
        kind = "channel_left" if found.kind == "public" else "group_left"
        await self.emit({"type": kind, "channel": channel, "actor_id": self.bot_user_id})

    async def emit(self, event: Json) -> Outcome:
        """Sends an event (its `type` and the rest) if the manifest subscribes to it; retries go on in the background."""
        ack = await events.emit(self.team, self._delivery, self._background, event)
        return Outcome(sent=False) if ack is None else acting.outcome("event", ack)

    def _changed(self, channel: Channel) -> None:
        self.team.publish("channel_changed", channel_json(channel), channel=channel.id)

    # ---- what people do ---------------------------------------------------------------------------------------------

    async def say(
        self, user: str, channel: str, text: str, *, thread_ts: str | None = None, edited: bool = False
    ) -> Message:
        """Posts a person's own message, and sends message.im or app_mention; `edited`: and edits it right after."""
        message = Message(self.team_id, channel, self.team.next_ts(), user, text, thread_ts=thread_ts)
        self.team.post(message)
        for body in events.of_message(self.team, message):
            await self.emit(body)
        if edited:
            message.edited = self.team.next_ts()
            self.team.show(message, "message_updated")
        return message

    def edit(self, user: str, channel: str, ts: str, text: str) -> None:
        """Changes a person's own message, and sends message_changed; LookupError if it isn't theirs."""
        message = self.team.find_message(channel, ts)
        if message is None or message.user != user or message.bot_id:
            raise LookupError(ts)
        message.text, message.edited = text, self.team.next_ts()
        self.team.show(message, "message_updated")

    def _tell_of(self, message: Message, change: str) -> None:
        for body in events.of_message(self.team, message, change):
            self._background.start(self._emitted(body))

    def _tell_of_the_end(self) -> None:
        """In either order (Slack docs: reference/events/app_uninstalled)."""
        self._background.start(
            self._emitted({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [self.bot_user_id]}})
        )
        self._background.start(self._emitted({"type": "app_uninstalled"}))

    async def _emitted(self, body: Json) -> None:
        await self.emit(body)

    async def command(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> Outcome:
        """Types a slash command, e.g. "/invoice INV-1"; refused in threads, as Slack refuses it."""
        return await acting.command(self.team, self._delivery, user, channel, text, thread_ts)

    async def global_shortcut(self, user: str, callback_id: str) -> Outcome:
        """Chooses a global shortcut by its callback_id."""
        if not self.team.installed:
            return acting.refused("not_installed", NOT_INSTALLED)
        return await acting.global_shortcut(self.team, self._delivery, user, callback_id)

    async def open_home(self, user: str, *, tab: str = "home") -> Outcome:
        """Opens the app's Home (tab "home" or "messages"): sends app_home_opened; `home(user)` then tells what is there."""
        if not self.team.installed:
            return acting.refused("not_installed", NOT_INSTALLED)
        shown = self.home(user)
        body = {"type": "app_home_opened", "user": user, "channel": self.team.dm_with(user).id, "tab": tab}
        return await self.emit({**body, "view": shown.as_json()} if shown and tab == "home" else body)

    async def press(self, user: str, surface: Surface, label: str) -> Outcome:
        """Clicks the one button that bears this text; LookupError if there isn't exactly one."""
        place = acting.on(self.team, user, surface)
        found = [
            (block["block_id"], element["action_id"])
            for block, element in interactive(place.blocks)
            if element["type"] == "button" and element["text"]["text"] == label
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found)} buttons are called {label!r}")
        return await self.click(user, surface, *found[0])

    async def click(
        self,
        user: str,
        surface: Surface,
        block_id: str,
        action_id: str,
        value: str | Sequence[str] | None = None,
    ) -> Outcome:
        """Uses an interactive element and sends its block_actions where Slack would (`sent` says whether).

        `value`: nothing for a button; an option's value for selects, radio buttons and overflow (external selects:
        one of the options last answered); all values ticked from now on for checkboxes and multi-selects; a date, time,
        user or channel id for those pickers; ids of own files (`upload`) for a file_input; None unsets. In an input block without dispatch_action only the state changes.
        """
        return await acting.use(self.team, self._delivery, user, surface, (block_id, action_id), value)

    async def type(
        self, user: str, surface: Surface, block_id: str, action_id: str, value: str, *, enter: bool = False
    ) -> Outcome:
        """Puts text into an input, all at once, then presses Enter if `enter`.

        Sends block_actions only as the block's dispatch_action and the element's dispatch_action_config say
        (on_enter_pressed is the default; on_character_entered dispatches once for the whole text).
        """
        at = (block_id, action_id)
        return await acting.use(
            self.team, self._delivery, user, surface, at, value, entered=enter, typed=True
        )

    async def options(
        self, user: str, surface: Surface, block_id: str, action_id: str, query: str
    ) -> Outcome:
        """Types into an external select: `Outcome.options` is what the app offers; nothing goes out below min_query_length."""
        return await acting.suggest(self.team, self._delivery, user, surface, (block_id, action_id), query)

    async def submit(self, user: str, view_id: str) -> Outcome:
        """Presses a modal's submit. Missing required inputs are refused by the client itself (`sent` False, `errors`)."""
        return await acting.submit(self.team, self._delivery, user, view_id)

    async def close(self, user: str, view_id: str, *, clear: bool = False) -> Outcome:
        """Presses a modal's close, which goes back one view, or (`clear`) the cross that closes the whole stack."""
        return await acting.close(self.team, self._delivery, user, view_id, clear=clear)

    # ---- what people see --------------------------------------------------------------------------------------------

    def views(self, user: str) -> list[View]:
        """The person's stack of modals, the root first, the visible one last."""
        return list(self.team.stacks.get(user, []))

    def top(self, user: str) -> View:
        """The visible modal; LookupError if none is open."""
        if user not in self.team.stacks:
            raise LookupError(f"{user} has no modal open")
        return self.team.stacks[user][-1]

    def view(self, view_id: str) -> View:
        """An open view or Home by its id; LookupError if there is none."""
        found = self.team.find_view(view_id)
        if found is None:
            raise LookupError(f"no view {view_id} is open")
        return found

    def home(self, user: str) -> View | None:
        """What the Home tab shows this person, or None if nothing was published."""
        return self.team.homes.get(user)

    def messages(self, channel: str, *, seen_by: str | None = None) -> list[Message]:
        """A conversation's messages, oldest first; ephemeral ones only for `seen_by`."""
        return [m for m in self.team.messages.get(channel, []) if m.ephemeral_to in (None, seen_by)]

    def dms(self, user: str) -> list[Message]:
        """The app's direct messages with this person, oldest first."""
        channel = self.dm_channel(user)
        return self.messages(channel, seen_by=user) if channel else []

    def dm_channel(self, user: str) -> str | None:
        """The id (D...) of the app's conversation with this person, if it exists."""
        return next((c.id for c in self.team.channels.values() if c.kind == "im" and user in c.members), None)

    @property
    def people(self) -> list[Person]:
        """Everybody, the app's own bot user included (`is_bot`)."""
        return list(self.team.people.values())

    @property
    def channels(self) -> list[Channel]:
        """Public and private channels, without direct messages."""
        return [channel for channel in self.team.channels.values() if channel.kind != "im"]

    @property
    def files(self) -> list[File]:
        return list(self.team.files.values())

    @property
    def calls(self) -> list[Call]:
        """Every Web API request made with this workspace's bot token, oldest first."""
        return [call for call in self.app.calls if call.token in self.team.tokens]

    @property
    def commands(self) -> list[Json]:
        """The manifest's slash commands (command, description, usage_hint), for the message box."""
        return self.app.manifest.commands if self.team.installed else []

    @property
    def global_shortcuts(self) -> list[Json]:
        """The manifest's global shortcuts (name, callback_id, description)."""
        return self.app.manifest.global_shortcuts if self.team.installed else []

    def subscribe(self) -> Subscription:
        """Everything that clients would show from now on, as an asynchronous iterator of Happening."""
        return self.team.broadcast.subscribe()

    async def wait_for(self, predicate: Callable[[], T], timeout: float = PATIENCE) -> T:
        """Waits until `predicate` is true, trying it after everything that happens; TimeoutError otherwise.

        Returns the predicate's value. A LookupError from the predicate means not yet.
        """
        async with asyncio.timeout(timeout):
            while True:
                changed = self.team.broadcast.next_change()
                found = _or_not_yet(predicate)
                if found:
                    return found
                await changed.wait()


def _or_not_yet(predicate: Callable[[], T]) -> T | None:
    try:
        return predicate()
    except LookupError:
        return None
