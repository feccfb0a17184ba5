"""Socket Mode in front of a local Slack, with a small app behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.watch.health import Health
from bot.watch.metrics import Metrics
from bot.web import socket_mode
from bot.web.intake import Intake
from bot.web.socket_mode import SocketMode
from bot.work.tracking import Tracker
from sandbox.slack import LocalSlack
from sandbox.slack.state.model import Call
from tests.patience import PATIENCE, patient

MANIFEST = {
    "display_information": {"name": "Tester"},
    "features": {"slash_commands": [{"command": "/echo", "description": "Answers with the same words"}]},
    "oauth_config": {"scopes": {"bot": ["commands"]}},
    "settings": {"interactivity": {"is_enabled": True}, "socket_mode_enabled": True},
}


@dataclass
class World:
    slack: LocalSlack
    mode: SocketMode
    alice: str
    channel: str
    health: Health = field(default_factory=Health)
    tracker: Tracker = field(default_factory=Tracker)
    refused: list[str] = field(default_factory=list)
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    async def echoes(self, words: str) -> bool:
        outcome = await self.slack.workspace.command(self.alice, self.channel, f"/echo {words}")
        return bool(outcome.acked)

    async def until(self, predicate: Callable[[], object], timeout: float = PATIENCE) -> None:
        async with asyncio.timeout(timeout):
            while not predicate():  # noqa: ASYNC110 - watches several objects, none of which tells of its changes
                await asyncio.sleep(0.01)


FIRST_DELAY = 0.05


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Its pauses are a tenth of the real ones."""
    monkeypatch.setattr(socket_mode, "FIRST_DELAY", FIRST_DELAY)
    monkeypatch.setattr(socket_mode, "WATCH_SECONDS", 0.1)
    slack = LocalSlack(MANIFEST, limits=patient())
    await slack.start()
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            token=slack.workspace.bot_token, base_url=slack.api_url, session=session, retry_handlers=[]
        )
        client.proxy = None
        health, tracker, hold = Health(), Tracker(), asyncio.Event()
        refused: list[str] = []
        hold.set()

        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=None, team_id=slack.workspace.team_id, bot_token=client.token, bot_user_id="U0"
            )

        app = AsyncApp(
            client=client, authorize=authorize, request_verification_enabled=False, signing_secret=""
        )

        @app.command("/echo")
        async def echo(ack: Any, body: dict[str, Any]) -> None:
            await hold.wait()
            await ack(body["text"])

        metrics = Metrics()
        mode = SocketMode(
            slack.app_token,
            client,
            Intake(app, tracker, metrics),
            health,
            metrics,
            on_refused=refused.append,
        )
        alice = slack.workspace.add_person("alice")
        channel = slack.workspace.add_channel("general")
        yield World(slack, mode, alice, channel, health, tracker, refused, hold)
        await mode.stop()
        await tracker.finish(PATIENCE)
    await slack.stop()


async def connected(world: World) -> None:
    world.mode.start()
    await world.slack.connected()
    await world.until(lambda: not world.health.reasons)


def asked(world: World) -> list[Call]:
    """How often a connection was asked for."""
    return [call for call in world.slack.app.calls if call.method == "apps.connections.open"]
