"""A small Slack app built with the official libraries, for the contract tests of the local Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any, Literal

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import Limits, LocalSlack
from sandbox.stopping import clean_up
from tests.patience import patient

Json = dict[str, Any]

MANIFEST: Json = {
    "display_information": {"name": "Small App"},
    "features": {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "bot_user": {"display_name": "Small App", "always_online": True},
        "slash_commands": [
            {"command": "/show", "description": "Shows something"},
            {"command": "/late", "description": "Shows it too late"},
        ],
        "shortcuts": [
            {"name": "Show", "type": "global", "callback_id": "show", "description": "Shows something"}
        ],
    },
    "oauth_config": {
        "scopes": {"bot": ["commands", "chat:write", "channels:history", "groups:history", "files:write"]}
    },
    "settings": {
        "event_subscriptions": {"bot_events": ["app_home_opened", "channel_archive"]},
        "interactivity": {"is_enabled": True, "message_menu_options_url": "https://example.com/options"},
        "socket_mode_enabled": True,
    },
}


def manifest(*, scopes: list[str] | None = None, home: bool = True, messages: bool = True) -> Json:
    """The manifest with other scopes or with parts of the app's Home switched off."""
    changed = deepcopy(MANIFEST)
    if scopes is not None:
        changed["oauth_config"]["scopes"]["bot"] = scopes
    changed["features"]["app_home"] = {"home_tab_enabled": home, "messages_tab_enabled": messages}
    return changed


A_MOMENT = 0.2
"""Seconds in which Slack gives up, where nobody acknowledges."""


def quick(**changes: Any) -> Limits:
    """Limits under which a test needn't wait, and an app is not too late because the machine is busy."""
    return patient(**{"event_retry_seconds": (0.0, 0.0, 0.0), "message_burst": 1000, **changes})


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def option(value: str, text: str | None = None) -> Json:
    return {"text": plain(text or value), "value": value}


def section(text: str = "Hello", **more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(text: str = "Go", action_id: str = "go", **more: Any) -> Json:
    return {"type": "button", "text": plain(text), "action_id": action_id, **more}


def field(element: Json, block_id: str = "b", **more: Any) -> Json:
    return {"type": "input", "block_id": block_id, "label": plain("Label"), "element": element, **more}


def text_field(block_id: str = "b", action_id: str = "a", **more: Any) -> Json:
    return field({"type": "plain_text_input", "action_id": action_id}, block_id, **more)


def modal(*blocks: Json, submit: bool = True, **more: Any) -> Json:
    view = {"type": "modal", "title": plain("Title"), "blocks": list(blocks) or [section()], **more}
    return {**view, "submit": plain("Done")} if submit else view


def home(*blocks: Json, **more: Any) -> Json:
    return {"type": "home", "blocks": list(blocks) or [section()], **more}


def make_app(slack: LocalSlack) -> AsyncApp:
    """A Bolt app without listeners, pointed at the local Slack as SLACK_API_URL points the real bot at it."""
    token = slack.workspace.bot_token
    client = AsyncWebClient(token=token, base_url=slack.api_url)
    return AsyncApp(client=client, token=token, signing_secret=slack.signing_secret)


@asynccontextmanager
async def over_sockets(slack: LocalSlack, app: AsyncApp, connections: int = 1) -> AsyncIterator[None]:
    """Runs the app in Socket Mode with the official aiohttp client."""
    handlers = [AsyncSocketModeHandler(app, slack.app_token, ping_interval=1) for _ in range(connections)]
    try:
        for handler in handlers:
            await handler.connect_async()  # type: ignore[no-untyped-call]
        await slack.connected(connections)
        yield
    finally:
        for handler in handlers:
            await handler.close_async()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def over_http(slack: LocalSlack, app: AsyncApp) -> AsyncIterator[str]:
    """Runs the app behind Bolt's own aiohttp server and points the local Slack at it; yields its URL."""
    runner = web.AppRunner(app.server(port=0, path="/slack/events").web_app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        yield slack.request_url
    finally:
        await clean_up(runner)


class World:
    """A local Slack with Ann in it, a channel with the app and one without, and the official client."""

    def __init__(self, slack: LocalSlack) -> None:
        self.slack = slack
        self.work = slack.workspace
        self.ann = self.work.add_person("ann")
        self.general = self.work.add_channel("general")
        self.elsewhere = self.work.add_channel("elsewhere", bot=False)
        self.secret = self.work.add_channel("secret", private=True, bot=False)
        self.client = AsyncWebClient(token=self.work.bot_token, base_url=slack.api_url)
        self.client.retry_handlers.clear()

    def trigger(self, *, from_modal: bool = False) -> str:
        return self.work.team.issue_trigger(self.ann, from_modal=from_modal)


async def refused(call: Awaitable[Any]) -> Any:
    """The answer of a call that Slack refuses."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response


@asynccontextmanager
async def make_world(given: Json | None = None, **settings: Any) -> AsyncIterator[World]:
    """A world whose local Slack has these settings."""
    settings.setdefault("limits", quick())
    async with LocalSlack(given or manifest(), **settings) as slack:
        yield World(slack)


Ack = Callable[..., Awaitable[BoltResponse]]


class Running(World):
    """A world with a Bolt app in it that keeps every payload in `got` and answers as a test says."""

    def __init__(self, slack: LocalSlack, app: AsyncApp) -> None:
        super().__init__(slack)
        self.app = app
        self.got: list[Json] = []
        self.answer: Json | str | None = None
        app.command("/show")(self.take)
        app.shortcut("show")(self.take)
        app.action("go")(self.take)
        app.action("a")(self.take)
        app.options("a")(self.take)
        app.view("v")(self.take)
        app.view_closed("v")(self.take)
        app.event("app_home_opened")(self.take_event)

    async def take(self, ack: Ack, body: Json) -> None:
        self.got.append(body)
        if isinstance(self.answer, dict):
            await ack(**self.answer)
        elif self.answer is None:
            await ack()
        else:
            await ack(self.answer)

    async def take_event(self, body: Json) -> None:
        self.got.append(body)

    async def open(self, *blocks: Json, **more: Any) -> str:
        """Opens a modal and returns its id."""
        view = modal(*blocks, callback_id="v", **more)
        answer = await self.client.views_open(trigger_id=self.trigger(), view=view)
        return str(answer["view"]["id"])

    async def push(self, *blocks: Json, **more: Any) -> str:
        view = modal(*blocks, callback_id="v", **more)
        answer = await self.client.views_push(trigger_id=self.trigger(from_modal=True), view=view)
        return str(answer["view"]["id"])


@asynccontextmanager
async def make_running(
    delivery: Literal["socket", "http"], given: Json | None = None
) -> AsyncIterator[Running]:
    """A world whose Bolt app gets its payloads over Socket Mode or over HTTP."""
    async with LocalSlack(given or manifest(), delivery=delivery, limits=quick()) as slack:
        app = make_app(slack)
        running = Running(slack, app)
        async with over_sockets(slack, app) if delivery == "socket" else over_http(slack, app):
            yield running
