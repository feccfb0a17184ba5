"""What people see in a workspace, and what tests may look at or wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sandbox.slack.interactions import events
from sandbox.slack.state.app import Delivery, InstalledApp
from sandbox.slack.state.model import Call, Channel, File, Json, Message, Person, View
from sandbox.slack.state.team import Team
from sandbox.slack.state.watching import PATIENCE, Subscription

T = TypeVar("T")


class Sights:
    def __init__(self, team: Team, delivery: Delivery, background: events.Background) -> None:
        self.team = team
        self._delivery = delivery
        self._background = background

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
