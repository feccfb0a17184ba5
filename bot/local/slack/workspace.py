"""One Slack workspace seen from its people: what they do, what they see, and what tests may look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from bot.local.slack.model import Call, Channel, File, Json, Message, Outcome, Person, View
from bot.local.slack.watching import Subscription

T = TypeVar("T")
Surface = str | tuple[str, str]
"""Where somebody clicks: a view id (modal or Home) or a message's (channel, ts)."""


class Workspace:
    """A team in which the app is installed. Users and channels are named by their ids everywhere."""

    team_id: str
    domain: str
    bot_token: str
    bot_user_id: str
    bot_id: str

    # ---- furnishing -------------------------------------------------------------------------------------------------

    def add_person(self, name: str, *, real_name: str | None = None, user_id: str | None = None) -> str:
        """Adds somebody to the workspace and returns their user id (U...)."""
        raise NotImplementedError

    def add_channel(
        self,
        name: str,
        *,
        private: bool = False,
        members: Sequence[str] = (),
        bot: bool = True,
        channel_id: str | None = None,
    ) -> str:
        """Makes a channel and returns its id (C...). Without `members` everybody is in; `bot` says whether the app is."""
        raise NotImplementedError

    async def archive(self, channel: str, *, archived: bool = True) -> None:
        """Archives or restores a channel; sends channel_archive / channel_unarchive if the manifest subscribes."""
        raise NotImplementedError

    async def invite_bot(self, channel: str) -> None:
        """Adds the app to a channel (member_joined_channel)."""
        raise NotImplementedError

    async def kick_bot(self, channel: str) -> None:
        """Removes the app from a channel (channel_left / group_left)."""
        raise NotImplementedError

    # ---- what people do ---------------------------------------------------------------------------------------------

    async def say(self, user: str, channel: str, text: str) -> Message:
        """Posts a person's own message."""
        raise NotImplementedError

    async def command(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> Outcome:
        """Types a slash command, e.g. "/invoice INV-1"; refused in threads, as Slack refuses it."""
        raise NotImplementedError

    async def global_shortcut(self, user: str, callback_id: str) -> Outcome:
        """Chooses a global shortcut by its callback_id."""
        raise NotImplementedError

    async def open_home(self, user: str, *, tab: str = "home") -> Outcome:
        """Opens the app's Home (tab "home" or "messages"): sends app_home_opened; `home(user)` then tells what is there."""
        raise NotImplementedError

    async def press(self, user: str, surface: Surface, label: str) -> Outcome:
        """Clicks the one button that bears this text; LookupError if there isn't exactly one."""
        raise NotImplementedError

    async def click(
        self,
        user: str,
        surface: Surface,
        block_id: str,
        action_id: str,
        value: str | Sequence[str] | None = None,
    ) -> Outcome:
        """Uses an interactive element and sends its block_actions where Slack would.

        `value`: nothing for a button; an option's value for selects, radio buttons and overflow (external selects:
        one of the options last answered); all values ticked from now on for checkboxes and multi-selects; a date, time,
        user or channel id for those pickers; None unsets. In an input block without dispatch_action only the state changes.
        """
        raise NotImplementedError

    async def type(
        self, user: str, view_id: str, block_id: str, action_id: str, value: str, *, enter: bool = False
    ) -> Outcome:
        """Puts text into an input, all at once, then presses Enter if `enter`.

        Sends block_actions only as the block's dispatch_action and the element's dispatch_action_config say
        (on_enter_pressed is the default; on_character_entered dispatches once for the whole text).
        """
        raise NotImplementedError

    async def options(
        self, user: str, surface: Surface, block_id: str, action_id: str, query: str
    ) -> Outcome:
        """Types into an external select: `Outcome.options` holds what the app offers; nothing is sent below min_query_length."""
        raise NotImplementedError

    async def submit(self, user: str, view_id: str) -> Outcome:
        """Presses a modal's submit. Missing required inputs are refused by the client itself (`sent` False, `errors`)."""
        raise NotImplementedError

    async def close(self, user: str, view_id: str, *, clear: bool = False) -> Outcome:
        """Presses a modal's close, which goes back one view, or (`clear`) the cross that closes the whole stack."""
        raise NotImplementedError

    # ---- what people see --------------------------------------------------------------------------------------------

    def views(self, user: str) -> list[View]:
        """The person's stack of modals, the root first, the visible one last."""
        raise NotImplementedError

    def top(self, user: str) -> View:
        """The visible modal; LookupError if none is open."""
        raise NotImplementedError

    def view(self, view_id: str) -> View:
        """An open view or Home by its id; LookupError if there is none."""
        raise NotImplementedError

    def home(self, user: str) -> View | None:
        """What the Home tab shows this person, or None if nothing was published."""
        raise NotImplementedError

    def messages(self, channel: str, *, seen_by: str | None = None) -> list[Message]:
        """A conversation's messages, oldest first; ephemeral ones only for `seen_by`."""
        raise NotImplementedError

    def dms(self, user: str) -> list[Message]:
        """The app's direct messages with this person, oldest first."""
        raise NotImplementedError

    def dm_channel(self, user: str) -> str | None:
        """The id (D...) of the app's conversation with this person, if it exists."""
        raise NotImplementedError

    @property
    def people(self) -> list[Person]:
        raise NotImplementedError

    @property
    def channels(self) -> list[Channel]:
        """Public and private channels, without direct messages."""
        raise NotImplementedError

    @property
    def files(self) -> list[File]:
        raise NotImplementedError

    @property
    def calls(self) -> list[Call]:
        """Every Web API request made with this workspace's bot token, oldest first."""
        raise NotImplementedError

    @property
    def commands(self) -> list[Json]:
        """The manifest's slash commands (command, description, usage_hint), for the message box."""
        raise NotImplementedError

    @property
    def global_shortcuts(self) -> list[Json]:
        """The manifest's global shortcuts (name, callback_id, description)."""
        raise NotImplementedError

    def subscribe(self) -> Subscription:
        """Everything that clients would show from now on, as an asynchronous iterator of Happening."""
        raise NotImplementedError

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 5.0) -> T:
        """Waits until `predicate` is true, looking after everything that happens; TimeoutError otherwise. Returns its value."""
        raise NotImplementedError
