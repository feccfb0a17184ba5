"""One browser tab: what its person does goes to the workspace, what the workspace shows them comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from sandbox.page.deeds import BadRequest, do
from sandbox.page.picture import (
    UNOPENED,
    Json,
    conversation,
    furniture,
    message_json,
    outcome_json,
    refusal,
)
from sandbox.slack.state.model import Happening, Outcome
from sandbox.slack.state.watching import Subscription
from sandbox.slack.workspace import Workspace


@dataclass(frozen=True)
class Place:
    """A workspace that people may switch to, and its page's address."""

    team_id: str
    name: str
    address: str


@dataclass(frozen=True)
class Setting:
    """What the page says besides the workspace's own contents."""

    workspace: Workspace
    app_name: str
    team: str
    hints: Sequence[str]
    dashboard: str
    places: Sequence[Place] = ()
    install: str = ""
    stripe_key: str = ""
    remove: Callable[[], None] | None = None
    """Takes the app out of the workspace."""


class Tab:
    """Speaks over one WebSocket for `user` until either side hangs up."""

    def __init__(self, setting: Setting, user: str, socket: web.WebSocketResponse) -> None:
        self._setting = setting
        self._workspace = setting.workspace
        self._user = user
        self._socket = socket
        self._known: Json = {}
        self._deeds: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Sends the whole picture, then carries both directions; returns when the socket is closed."""
        with self._workspace.subscribe() as happenings:
            await self._send(self._picture())
            forwarding = asyncio.create_task(self._forward(happenings))
            try:
                async for message in self._socket:
                    if message.type is WSMsgType.TEXT:
                        self._begin(message.data)
            finally:
                forwarding.cancel()
                await asyncio.gather(forwarding, return_exceptions=True)

    # ---- from the browser -------------------------------------------------------------------------------------------

    def _begin(self, text: str) -> None:
        # Tasks start in the order of their creation, so what was typed reaches the workspace before the submission.
        # A deed that was begun is finished even if the tab goes away, as it is with Slack.
        task = asyncio.create_task(self._answer(text))
        self._deeds.add(task)
        task.add_done_callback(self._deeds.discard)

    async def _answer(self, text: str) -> None:
        number: object = None
        try:
            request = json.loads(text)
            if not isinstance(request, dict):
                raise BadRequest("not an object")
            number = request.get("id")
            if request.get("op") == "remove" and (remove := self._remover):
                remove()
                answer = outcome_json(Outcome(acked=True))
            else:
                answer = await do(self._workspace, self._user, request)
        except ValueError as error:
            answer = refusal("bad_request", f"The page sent something that can't be read: {error}.")
        except LookupError:
            answer = refusal("not_found", "That isn't there any more.")
            await self._send(self._views())
        await self._send({"re": number, **answer})

    @property
    def _remover(self) -> Callable[[], None] | None:
        """What takes the app out, for whoever may: guests manage no apps."""
        person = next(one for one in self._workspace.people if one.id == self._user)
        return None if person.guest or not self._workspace.installed else self._setting.remove

    # ---- to the browser ---------------------------------------------------------------------------------------------

    async def _forward(self, happenings: Subscription) -> None:
        async for happening in happenings:
            if happening.user in (None, self._user):
                for event in self._events(happening):
                    await self._send(event)

    def _events(self, happening: Happening) -> list[Json]:
        kind = happening.kind
        if kind.startswith("view_"):
            return [self._views()]
        if kind == "home_published":
            return [self._home()]
        if kind.startswith("app_"):
            # With the app come and go its commands, and its conversation.
            return [self._picture()]
        if kind.startswith("message_"):
            return self._message_events(happening)
        return self._refurnished() if kind == "channel_changed" else []

    def _message_events(self, happening: Happening) -> list[Json]:
        channel, ts = happening.channel, happening.data.get("ts")
        events = self._refurnished()
        if channel is None or not any(channel == known["id"] for known in self._known["channels"]):
            return events
        if happening.kind == "message_deleted":
            return [*events, {"event": "deleted", "channel": channel, "ts": ts}]
        seen = [
            message for message in self._workspace.messages(channel, seen_by=self._user) if message.ts == ts
        ]
        return events + [
            {"event": "message", "channel": channel, "message": message_json(one)} for one in seen
        ]

    def _refurnished(self) -> list[Json]:
        now = furniture(self._workspace, self._user, self._setting.app_name)
        if now == self._known:
            return []
        self._known = now
        return [{"event": "furniture", **now}]

    def _views(self) -> Json:
        return {"event": "views", "views": [view.as_json() for view in self._workspace.views(self._user)]}

    def _home(self) -> Json:
        home = self._workspace.home(self._user)
        return {"event": "home", "view": home.as_json() if home else None}

    def _picture(self) -> Json:
        self._known = furniture(self._workspace, self._user, self._setting.app_name)
        return {
            "event": "hello",
            "me": self._user,
            "team": self._setting.team,
            "team_id": self._workspace.team_id,
            "app_name": self._setting.app_name,
            "hints": list(self._setting.hints),
            "dashboard": self._setting.dashboard,
            "places": [
                {
                    "name": place.name,
                    "address": place.address,
                    "here": place.team_id == self._workspace.team_id,
                }
                for place in self._setting.places
            ],
            "removable": self._remover is not None,
            "install": "" if self._workspace.installed else self._setting.install,
            "stripe_key": self._setting.stripe_key,
            "commands": self._workspace.commands,
            "shortcuts": self._workspace.global_shortcuts,
            "messages": {
                channel["id"]: conversation(self._workspace, self._user, channel["id"])
                for channel in self._known["channels"]
                if channel["id"] != UNOPENED
            },
            "views": self._views()["views"],
            "home": self._home()["view"],
            **self._known,
        }

    async def _send(self, event: Json) -> None:
        if self._socket.closed:
            return
        try:
            await self._socket.send_json(event)
        except ConnectionResetError:
            # The tab was closed in this moment; the next one to open gets the whole picture.
            return
