"""Socket Mode against the local Slack: connections are replaced, whatever happens to them, and nothing is lost."""

import asyncio
import itertools
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


async def test_what_comes_is_acknowledged(world: World) -> None:
    await connected(world)

    assert await world.echoes("hello")


async def test_when_slack_asks_for_it_a_new_connection_takes_over_before_the_old_one_ends(
    world: World,
) -> None:
    await connected(world)
    [first] = world.slack.sockets.connections

    await world.slack.sockets.disconnect("warning")
    await world.until(lambda: len(world.slack.sockets.connections) == 2)

    assert first in world.slack.sockets.connections
    assert await world.echoes("one")
    assert await world.echoes("two")


async def test_an_answer_that_outlives_its_connection_goes_out_on_the_next(world: World) -> None:
    await connected(world)
    world.hold.clear()
    answering = asyncio.create_task(world.echoes("hello"))
    await world.until(lambda: world.tracker.under_way > 0)

    await world.slack.sockets.disconnect("refresh_requested")
    await world.until(lambda: len(world.slack.sockets.connections) == 1)
    world.hold.set()

    assert await answering


async def test_a_connection_that_is_cut_is_replaced(world: World) -> None:
    await connected(world)

    await world.slack.sockets.cut()
    await world.slack.connected()

    assert await world.echoes("hello")


async def test_a_connection_that_falls_silent_is_replaced(world: World) -> None:
    # So soon a busy machine may take any connection for a silent one; here that is no harm.
    world.mode._ping_seconds = 0.3
    await connected(world)
    [first] = world.slack.sockets.connections

    world.slack.sockets.silence()
    await world.until(lambda: any(one is not first for one in world.slack.sockets.connections))
    await world.until(lambda: first not in world.slack.sockets.connections)

    assert await world.echoes("hello")


def asked(world: World) -> list[Call]:
    """How often a connection was asked for."""
    return [call for call in world.slack.app.calls if call.method == "apps.connections.open"]


async def test_it_keeps_trying_while_slack_is_away_and_says_so(world: World) -> None:
    world.slack.app.faults.outage = True
    world.mode.start()
    await world.until(lambda: len(asked(world)) >= 2)
    assert "socket" in world.health.reasons

    world.slack.app.faults.outage = False
    await world.slack.connected()
    await world.until(lambda: not world.health.reasons)

    assert await world.echoes("hello")
    assert world.refused == []


@pytest.mark.parametrize(
    ("status", "body"), [(503, ""), (502, "<html>"), (200, "[]"), (200, "[1]"), (200, '{"ok": true}')]
)
async def test_it_keeps_trying_while_somebody_else_answers_for_slack(
    world: World, status: int, body: str
) -> None:
    gateway = world.slack.app.faults.add(
        method="apps.connections.open", do="garbled", status=status, body=body
    )
    world.mode.start()
    await world.until(lambda: gateway.struck)

    await world.slack.connected()
    await world.until(lambda: not world.health.reasons)
    assert world.refused == []


async def test_an_outage_of_a_connected_slack_shows_in_health_and_ends(world: World) -> None:
    await connected(world)

    world.slack.app.faults.outage = True
    await world.slack.sockets.cut()
    await world.until(lambda: "socket" in world.health.reasons)
    world.slack.app.faults.outage = False
    await world.until(lambda: not world.health.reasons)

    assert await world.echoes("hello")


async def test_a_token_that_slack_refuses_is_told_once_there_never_was_a_connection(world: World) -> None:
    world.slack.revoke(world.slack.app_token)

    world.mode.start()
    await world.until(lambda: world.refused)

    assert world.refused == ["token_revoked"]
    assert "token_revoked" in world.health.reasons["socket"]


async def test_after_the_stop_of_intake_nothing_more_is_taken(world: World) -> None:
    await connected(world)
    world.slack.app.limits.ack_seconds = 0.3

    world.mode.stop_intake()

    assert not await world.echoes("hello")


async def asked_ever_more_seldom(world: World, times: int = 5) -> None:
    """Until a connection was asked for so often; each pause is twice as long as the one before it, give or take a quarter."""
    await world.until(lambda: len(asked(world)) >= times)
    asks = [call.at for call in asked(world)]
    pauses = [later - sooner for sooner, later in itertools.pairwise(asks)]
    assert [pause >= FIRST_DELAY * 0.75 * 2**n for n, pause in enumerate(pauses)] == [True] * len(pauses)


async def test_ten_others_leave_no_room_and_the_pause_grows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack closes an eleventh socket as soon as it stands: asked at once again and again, thousands of times a minute."""
    world.slack.app.limits.connections = 0

    world.mode.start()
    await asked_ever_more_seldom(world)
    assert "socket" in world.health.reasons

    world.slack.app.limits.connections = 10
    monkeypatch.setattr(socket_mode, "STEADY_SECONDS", 0.1)
    await world.until(lambda: not world.health.reasons)
    assert await world.echoes("hello")


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "drop"},
        {"do": "drop", "when": "after", "seconds": 0.02},
        {"do": "status", "status": 403},
        {"do": "error", "error": "too_many_websockets"},
    ],
)
async def test_sockets_that_end_right_after_they_opened_are_asked_for_ever_more_seldom(
    world: World, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_mode, "STEADY_SECONDS", PATIENCE)
    world.slack.app.faults.add(method="socket", times=None, **fault)

    world.mode.start()
    # At most the first one is believed, for as long as it stands.
    await world.until(lambda: len(asked(world)) >= 2)
    believed: list[str] = []
    with monkeypatch.context() as watching:
        watching.setattr(world.health, "good", believed.append)
        await asked_ever_more_seldom(world)
    assert "socket" in world.health.reasons
    assert believed == []

    world.slack.app.faults.clear()
    monkeypatch.setattr(socket_mode, "STEADY_SECONDS", 0.1)
    await world.until(lambda: not world.health.reasons)
    assert await world.echoes("hello")


async def test_no_more_than_one_socket_retires_at_a_time(world: World) -> None:
    await connected(world)
    most = 0

    for _ in range(3):
        # A warning reaches the sockets that there are: the next one mustn't come while a new one is on its way.
        before = world.mode._current
        await world.slack.sockets.disconnect("warning")
        await world.until(lambda old=before: world.mode._current is not old and not world.health.reasons)  # type: ignore[misc]
        most = max(most, len(world.slack.sockets.connections))

    assert most <= 3
    await world.until(lambda: len(world.slack.sockets.connections) <= 2)
    assert await world.echoes("hello")


@pytest.mark.parametrize(
    ("told", "least"), [("2", 1.9), ("", 0.9), ("0.5", 0.4), ("Mon, 30 Nov 2026 09:00:00 GMT", 0.9)]
)
async def test_how_long_slack_wants_no_socket_to_be_asked_for_is_waited(
    world: World, told: str, least: float
) -> None:
    world.slack.app.faults.add(method="apps.connections.open", do="status", status=429, retry_after=told)

    world.mode.start()
    await world.until(lambda: len(asked(world)) == 2)

    first, second = asked(world)
    assert least <= second.at - first.at
    await world.until(lambda: not world.health.reasons)
    assert await world.echoes("hello")
