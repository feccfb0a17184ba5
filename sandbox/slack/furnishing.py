"""What makes a workspace what it is: its people, groups, files and channels; the app hears of what it subscribes to."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.slack.interactions import acting, events
from sandbox.slack.sights import Sights
from sandbox.slack.state.app import Delivery
from sandbox.slack.state.model import Channel, File, Group, Json, Message, Outcome, Person
from sandbox.slack.state.team import Team, channel_json


class Furnishing(Sights):
    def __init__(self, team: Team, delivery: Delivery, background: events.Background) -> None:
        super().__init__(team, delivery, background)
        team.on_message = self._tell_of
        team.on_uninstalled = self._tell_of_the_end

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
