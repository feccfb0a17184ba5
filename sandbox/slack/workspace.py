"""One Slack workspace seen from its people: what they do, what they see, and what tests may look at."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.slack.blocks.surfaces import interactive
from sandbox.slack.furnishing import Furnishing
from sandbox.slack.interactions import acting, events
from sandbox.slack.interactions.acting import Surface as Surface
from sandbox.slack.state.model import Message, Outcome

NOT_INSTALLED = "This app isn't installed in the workspace."


class Workspace(Furnishing):
    """A workspace. Users and channels are named by their ids everywhere.

    A Surface, where somebody clicks, is a view id (modal or Home) or a message's (channel, ts), `Message.place`.
    Whoever names something that the person can't see or touch gets a LookupError.
    """

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
