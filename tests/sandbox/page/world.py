"""A browser in front of a local Slack in which a small app answers: what the tests of the demo's page share."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Error, Locator, Page, async_playwright, expect
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.page import page_routes
from sandbox.slack import LocalSlack, Workspace
from sandbox.stopping import clean_up
from tests.patience import PATIENCE, patient, quiet_port
from tests.sandbox.page.blocks import Json

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Milliseconds. What the browser draws is waited for; only what never comes takes so long.
DRAWN = PATIENCE * 1000
A_MOMENT = 0.5
"""Seconds in which Slack gives up, in a test of an app that doesn't acknowledge."""
HINTS = ("/show details", "/show list")
MANIFEST: Json = {
    "display_information": {"name": "Tester"},
    "features": {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "bot_user": {"display_name": "Tester"},
        "slash_commands": [
            {"command": "/show", "description": "Opens a view", "usage_hint": "[name]"},
            {"command": "/showcase", "description": "Does the same, but longer"},
            {"command": "/silent", "description": "Is never acknowledged"},
            {"command": "/whisper", "description": "Answers only you", "usage_hint": "[words]"},
        ],
        "shortcuts": [
            {
                "name": "Show Details",
                "type": "global",
                "callback_id": "details",
                "description": "Opens the details",
            },
            {"name": "Show List", "type": "global", "callback_id": "list", "description": "Opens the list"},
        ],
    },
    "oauth_config": {
        "scopes": {"bot": ["commands", "chat:write", "files:read", "files:write", "im:write", "users:read"]}
    },
    "settings": {
        "event_subscriptions": {"bot_events": ["app_home_opened"]},
        "interactivity": {"is_enabled": True},
        "socket_mode_enabled": True,
    },
}
Reaction = Callable[[Json, AsyncWebClient], Any]


@dataclass
class World:
    """The running pieces, and what the app does: tests put views, reactions and answers in, and read `actions`."""

    slack: LocalSlack
    workspace: Workspace
    client: AsyncWebClient
    browser: Browser
    url: str = ""
    ada: str = ""
    ben: str = ""
    billing: str = ""
    general: str = ""
    views: dict[str, Json] = field(default_factory=dict)
    home: Json | None = None
    reactions: dict[str, Reaction] = field(default_factory=dict)
    answer: Json | None = field(default_factory=dict)
    options: list[Json] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    actions: asyncio.Queue[Json] = field(default_factory=asyncio.Queue)
    submissions: asyncio.Queue[Json] = field(default_factory=asyncio.Queue)
    contexts: list[BrowserContext] = field(default_factory=list)
    desk: Page | None = None
    runner: web.AppRunner | None = None

    async def serve(self, port: int) -> None:
        """Starts the page's server."""
        self.runner = web.AppRunner(
            page_routes(self.workspace, app_name="Tester", hints=HINTS), access_log=None
        )
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"

    async def stop_serving(self) -> int:
        """Stops the page's server, with every line to it; returns its port."""
        assert self.runner is not None
        port: int = self.runner.addresses[0][1]
        await clean_up(self.runner)
        return port

    async def at_desk(self) -> Page:
        """Ada's own tab, which stays open from test to test."""
        if self.desk is None:
            self.desk = await self.open()
            self.contexts.clear()
        await self.desk.get_by_role("textbox", name="Message").fill("")
        return self.desk

    async def open(self, *, user: str = "ada", place: str = "", **settings: Any) -> Page:
        """A fresh tab with a storage of its own, in which the first picture has arrived."""
        settings.setdefault("viewport", {"width": 1280, "height": 800})
        context = await self.browser.new_context(**settings)
        context.set_default_timeout(DRAWN)
        self.contexts.append(context)
        page = await context.new_page()
        await page.goto(f"{self.url}/?user={user}#{place or self.billing}")
        await page.get_by_role("link", name="# billing").wait_for()
        return page

    async def show(self, page: Page, view: Json) -> Locator:
        """Types the command that opens `view`; returns the dialog."""
        self.views["it"] = view
        await send(page, "/show it")
        dialog = page.get_by_role("dialog")
        await dialog.wait_for()
        return dialog

    async def top_update(self, view: Json) -> None:
        """Has the app replace Ada's visible modal."""
        await self.client.views_update(view_id=self.workspace.views(self.ada)[-1].id, view=view)

    async def clear(self) -> None:
        """Makes it as new: no tab but the desk, no open modal, no message, nothing learnt."""
        for context in self.contexts:
            await context.close()
        for user in (self.ada, self.ben):
            views = self.workspace.views(user)
            if views:
                await self.workspace.close(user, views[-1].id, clear=True)
        if self.desk:
            try:
                await self.desk.locator("dialog, [role=menu]").wait_for(state="detached", timeout=1000)
            except Error:
                await self.desk.reload()
        for messages in self.workspace.team.messages.values():
            messages.clear()
        self.contexts, self.views, self.reactions, self.options, self.queries = [], {}, {}, [], []
        self.answer, self.home = {}, None
        self.slack.limits.ack_seconds = PATIENCE
        self.actions, self.submissions = asyncio.Queue(), asyncio.Queue()


async def send(page: Page, text: str) -> None:
    """Types into the message box and presses Enter."""
    box = page.get_by_role("textbox", name="Message")
    await box.fill(text)
    await box.press("Enter")


@asynccontextmanager
async def page_world() -> AsyncIterator[World]:
    """Start the local Slack, the app, the page and a browser; Ada and Ben are in #billing and #general."""
    slack = LocalSlack(MANIFEST, limits=patient())
    await slack.start()
    client = AsyncWebClient(base_url=slack.api_url, token=slack.workspace.bot_token)
    # A channel takes few messages at once, and tests post several.
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=3))
    app = AsyncApp(client=client, token=slack.workspace.bot_token, raise_error_for_unhandled_request=False)
    handler = AsyncSocketModeHandler(app, slack.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await slack.connected()
    expect.set_options(timeout=DRAWN)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        world = World(slack, slack.workspace, client, browser)
        _behave(app, world)
        _furnish(world)
        await world.serve(quiet_port())
        try:
            yield world
        finally:
            await browser.close()
            await world.stop_serving()
            await handler.close_async()  # type: ignore[no-untyped-call]
            await slack.stop()


def _furnish(world: World) -> None:
    world.ada = world.workspace.add_person("ada", real_name="Ada Lovelace")
    world.ben = world.workspace.add_person("ben", real_name="Ben Okafor")
    world.billing = world.workspace.add_channel("billing")
    world.general = world.workspace.add_channel("general")


def _behave(app: AsyncApp, world: World) -> None:
    @app.command(re.compile("/show|/showcase"))
    async def show(ack: Any, command: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=command["trigger_id"], view=world.views[command["text"]])

    @app.command("/silent")
    async def silent() -> None:
        return None

    @app.command("/whisper")
    async def whisper(ack: Any, command: Json) -> None:
        await ack(command["text"])

    @app.shortcut(re.compile(".*"))
    async def shortcut(ack: Any, shortcut: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=shortcut["trigger_id"], view=world.views[shortcut["callback_id"]])

    @app.action(re.compile(".*"))
    async def action(ack: Any, body: Json, client: AsyncWebClient) -> None:
        action_id = body["actions"][0]["action_id"]
        if action_id == "unacknowledged":
            return
        await ack()
        reaction = world.reactions.get(action_id)
        if reaction:
            await reaction(body, client)
        world.actions.put_nowait(body)

    @app.options(re.compile(".*"))
    async def options(ack: Any, payload: Json) -> None:
        world.queries.append(payload["value"])
        await ack(options=world.options)

    @app.view(re.compile(".*"))
    async def submission(ack: Any, body: Json) -> None:
        world.submissions.put_nowait(body)
        if world.answer is not None:
            await ack(**world.answer)

    @app.event("app_home_opened")
    async def opened(event: Json, client: AsyncWebClient) -> None:
        if world.home and event["tab"] == "home":
            await client.views_publish(user_id=event["user"], view=world.home)
