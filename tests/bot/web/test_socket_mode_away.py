"""While Slack is away, refuses or leaves no room, a connection is asked for ever more seldom, and health says so."""

import itertools
from typing import Any

import pytest

from bot.web import socket_mode
from tests.bot.web.sockets import FIRST_DELAY, World, asked, connected, world
from tests.patience import PATIENCE

__all__ = ["world"]


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
