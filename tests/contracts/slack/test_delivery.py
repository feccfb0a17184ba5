"""How payloads travel: Socket Mode's connections, retries, duplicates, outages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from sandbox.slack import Fault, LocalSlack
from sandbox.slack.state.app import Ack, Envelope
from tests.contracts.slack.fixtures import (
    A_MOMENT,
    Json,
    Running,
    World,
    button,
    make_app,
    make_running,
    manifest,
    over_sockets,
    quick,
)
from tests.patience import PATIENCE


@pytest.fixture
async def run() -> AsyncIterator[Running]:
    async with make_running("socket") as made:
        yield made


async def test_a_socket_url_connects_once(run: Running) -> None:
    url = run.slack.sockets.issue_url(run.slack.url)
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["num_connections"]) == ("hello", 2)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_an_eleventh_socket_is_sent_away(run: Running) -> None:
    run.slack.limits.connections = 1
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(run.slack.sockets.issue_url(run.slack.url)) as socket,
    ):
        assert (await socket.receive_json())["reason"] == "too_many_websockets"
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_each_payload_goes_to_one_of_several_connections() -> None:
    async with LocalSlack(manifest(), limits=quick()) as slack:
        apps = [make_app(slack), make_app(slack)]
        both = [Running(slack, app) for app in apps]
        async with over_sockets(slack, apps[0]), over_sockets(slack, apps[1]):
            await slack.connected(2)
            for number in range(6):
                await both[0].work.command(both[0].ann, both[0].general, f"/show {number}")
        texts = [sorted(body["text"] for body in each.got) for each in both]
        assert sorted(texts[0] + texts[1]) == [str(number) for number in range(6)]
        assert all(texts)


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_the_official_client_comes_back_after_a_disconnect(run: Running, reason: str) -> None:
    [before] = run.slack.sockets.connections
    await run.slack.sockets.disconnect(reason)  # type: ignore[arg-type]
    async with asyncio.timeout(PATIENCE):
        while before in run.slack.sockets.connections or not run.slack.sockets.connections:
            await run.slack.sockets.changed.next_change().wait()
    assert (await run.work.command(run.ann, run.general, "/show")).ok


async def test_without_a_socket_the_person_is_told_at_once(run: Running) -> None:
    await run.slack.outage()
    assert (await run.work.command(run.ann, run.general, "/show")).error == "dispatch_failed"


async def test_a_silent_socket_swallows_payloads(run: Running) -> None:
    run.slack.sockets.silence()
    run.slack.limits.ack_seconds = A_MOMENT
    outcome = await run.work.command(run.ann, run.general, "/show")
    assert (outcome.error, run.got) == ("operation_timeout", [])


async def test_a_silent_socket_answers_no_ping(run: Running) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(run.slack.sockets.issue_url(run.slack.url), autoping=False) as socket,
    ):
        await socket.receive_json()
        await socket.ping(b"alive?")
        assert (await socket.receive()).type is aiohttp.WSMsgType.PONG
        run.slack.sockets.silence()
        await socket.ping(b"still?")
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.1)


async def test_a_payload_may_come_twice_or_never(run: Running) -> None:
    run.slack.faults.add(Fault("deliver.interactive", do="twice"))
    view_id = await run.open({"type": "actions", "elements": [button()]})
    await run.work.press(run.ann, view_id, "Go")
    await run.work.press(run.ann, view_id, "Go")
    triggers = [body["trigger_id"] for body in run.got]
    assert (len(triggers), len(set(triggers))) == (3, 2)
    run.slack.faults.add(Fault("deliver.*"))
    run.slack.limits.ack_seconds = A_MOMENT
    assert (await run.work.press(run.ann, view_id, "Go")).error == "operation_timeout"
    assert len(run.got) == 3


async def test_an_event_that_is_not_acknowledged_is_sent_again_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with LocalSlack(manifest(), limits=quick()) as slack:
        world, send = World(slack), slack.sockets.send

        async def send_impatiently(envelope: Envelope, payload: Json, **more: Any) -> Ack:
            """Slack gives up on the first two, and waits for the third."""
            attempt = more["retry"][0] if more.get("retry") else 0
            slack.limits.ack_seconds = A_MOMENT if attempt < 2 else PATIENCE
            return await send(envelope, payload, **more)

        monkeypatch.setattr(slack.sockets, "send", send_impatiently)
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(slack.sockets.issue_url(slack.url)) as socket,
        ):
            await socket.receive_json()
            opening = asyncio.create_task(world.work.open_home(world.ann))
            frames = [await socket.receive_json() for _ in range(3)]
            await socket.send_json({"envelope_id": frames[2]["envelope_id"]})
            assert (await opening).error == "operation_timeout"
            with pytest.raises(TimeoutError):
                await socket.receive(timeout=0.2)
    assert [(f["retry_attempt"], f["retry_reason"]) for f in frames] == [
        (0, ""),
        (1, "timeout"),
        (2, "timeout"),
    ]
    assert len({frame["payload"]["event_id"] for frame in frames}) == 1


async def test_events_that_the_manifest_does_not_name_are_not_sent(run: Running) -> None:
    assert not (await run.work.emit({"type": "reaction_added"})).sent


async def test_a_manifest_without_interactivity_takes_no_clicks() -> None:
    given = manifest()
    given["settings"]["interactivity"]["is_enabled"] = False
    async with LocalSlack(given, limits=quick()) as slack:
        world = World(slack)
        assert (await world.work.global_shortcut(world.ann, "show")).error == "not_interactive"
