"""How payloads travel: Socket Mode's connections, signed HTTP, retries, duplicates, outages, the process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import Fault, LocalSlack, for_http
from sandbox.slack.state.app import Ack, Envelope
from sandbox.slack.state.manifest import Manifest
from sandbox.slack.transport.posts import Posts
from sandbox.stopping import clean_up
from tests.contracts.slack_fixtures import (
    A_MOMENT,
    MANIFEST,
    Json,
    Running,
    World,
    button,
    home,
    make_app,
    make_running,
    manifest,
    over_http,
    over_sockets,
    quick,
)
from tests.patience import PATIENCE


@pytest.fixture
async def run() -> AsyncIterator[Running]:
    async with make_running("socket") as made:
        yield made


# ---- Socket Mode ------------------------------------------------------------------------------------------------------


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


# ---- HTTP -------------------------------------------------------------------------------------------------------------


async def test_http_payloads_are_signed_and_the_request_url_is_verified() -> None:
    async with LocalSlack(manifest(), delivery="http", limits=quick()) as slack:
        async with over_http(slack, make_app(slack)):
            assert await slack.posts.verify_url()
        other = Posts(slack.app, slack.request_url)
        async with over_http(slack, make_app(slack)):
            other.request_url = slack.request_url
            slack.app.signing_secret = "not the app's"
            assert not await other.verify_url()
        await other.close()


async def test_http_speaks_forms_for_commands_and_json_for_events_and_goes_to_the_manifests_urls() -> None:
    requests: list[tuple[str, str, bytes, dict[str, str]]] = []

    async def keep(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        requests.append((request.path, request.content_type, await request.read(), headers))
        return web.Response(status=500 if request.path == "/events" and len(requests) < 4 else 200)

    application = web.Application()
    application.router.add_post("/{any}", keep)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    given = manifest()
    given["features"]["slash_commands"][0]["url"] = f"{base}/commands"
    given["settings"]["interactivity"] |= {"request_url": f"{base}/interactivity"}
    given["settings"]["event_subscriptions"]["request_url"] = f"{base}/events"
    try:
        async with LocalSlack(given, delivery="http", limits=quick()) as slack:
            world = World(slack)
            assert (await world.work.command(world.ann, world.general, "/show x")).ok
            assert (await world.work.global_shortcut(world.ann, "show")).ok
            assert (await world.work.open_home(world.ann)).error == "http_service_error"
            async with asyncio.timeout(PATIENCE):
                while len(requests) < 4:
                    await slack.traffic.changed.next_change().wait()
            verifier = SignatureVerifier(slack.signing_secret)
    finally:
        await clean_up(runner)
    assert [(path, kind) for path, kind, _, _ in requests] == [
        ("/commands", "application/x-www-form-urlencoded"),
        ("/interactivity", "application/x-www-form-urlencoded"),
        ("/events", "application/json"),
        ("/events", "application/json"),
    ]
    assert all(verifier.is_valid_request(body, headers) for _, _, body, headers in requests)
    assert requests[3][3]["x-slack-retry-num"] == "1"
    assert requests[1][2].startswith(b"payload=")


def test_an_apps_manifest_for_http_names_one_url_for_everything() -> None:
    changed = Manifest(for_http(MANIFEST, "https://example.com/slack/events"))
    payloads: list[tuple[str, Json]] = [
        ("slash_commands", {"command": "/show"}),
        ("interactive", {"type": "block_actions"}),
        ("interactive", {"type": "block_suggestion"}),
        ("events_api", {"type": "event_callback"}),
    ]
    assert {changed.url_for(*each) for each in payloads} == {"https://example.com/slack/events"}


async def test_type_ahead_over_http_needs_its_own_url() -> None:
    async with LocalSlack(manifest(), delivery="http", limits=quick()) as slack:
        running = Running(slack, make_app(slack))
        select = {"type": "external_select", "action_id": "a", "min_query_length": 0}
        view_id = await running.open({"type": "actions", "block_id": "b", "elements": [select]})
        del slack.app.manifest.given["settings"]["interactivity"]["message_menu_options_url"]
        slack.request_url = "http://127.0.0.1:9/"
        assert (await running.work.options(running.ann, view_id, "b", "a", "x")).error == "dispatch_failed"


@pytest.mark.parametrize(
    ("status", "error"), [(500, "http_service_error"), (404, "http_client_error"), (302, "http_client_error")]
)
async def test_over_http_only_a_200_acknowledges(status: int, error: str) -> None:
    async with LocalSlack(manifest(), delivery="http", limits=quick()) as slack:
        app = make_app(slack)

        @app.middleware
        async def answer() -> BoltResponse:
            return BoltResponse(status=status)

        async with over_http(slack, app):
            world = World(slack)
            assert (await world.work.command(world.ann, world.general, "/show")).error == error


# ---- a process of its own ---------------------------------------------------------------------------------------------


async def test_it_runs_as_a_process_that_is_driven_over_http(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(MANIFEST))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox.slack", "--manifest", str(path)),
        *("--person", "U0ANN=ann", "--channel", "C0GENERAL=general", "--bot-token", "xoxb-known"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        told = json.loads(await process.stdout.readline())
        async with aiohttp.ClientSession(told["url"]) as session:
            await drive(session, told)
    finally:
        process.terminate()
        assert await process.wait() == 0


async def drive(session: aiohttp.ClientSession, told: Json) -> None:
    assert told["workspaces"][0]["bot_token"] == "xoxb-known"
    headers = {"authorization": "Bearer xoxb-known"}
    post = {"channel": "C0GENERAL", "text": "x"}
    await session.post("/_local/faults", json={"method": "chat.postMessage", "when": "after", "do": "status"})
    async with session.post("/api/chat.postMessage", headers=headers, json=post) as answer:
        assert answer.status == 503
    async with session.get("/_local/messages?channel=C0GENERAL") as answer:
        assert [message["text"] for message in await answer.json()] == ["x"]
    verb = {"verb": "command", "args": {"user": "U0ANN", "channel": "C0GENERAL", "text": "/show"}}
    async with session.post("/_local/do", json=verb) as answer:
        assert (await answer.json())["error"] == "dispatch_failed"
    async with session.get("/_local/calls") as answer:
        [call] = await answer.json()
        assert (call["method"], call["fault"]) == ("chat.postMessage", "after status")
    async with session.post("/_local/do", json={"verb": "sing"}) as answer:
        assert answer.status == 404


async def test_a_world_that_was_put_away_is_taken_up_again() -> None:
    async with LocalSlack(manifest(), limits=quick()) as slack:
        world = World(slack)
        await world.client.chat_postMessage(channel=world.ann, text="Hi")
        await world.client.views_publish(user_id=world.ann, view=home())
        kept = json.loads(json.dumps(slack.snapshot()))
    again = LocalSlack(manifest(), limits=quick())
    again.restore(kept)
    async with again:
        client = AsyncWebClient(token=world.work.bot_token, base_url=again.api_url)
        assert (await client.auth_test())["user_id"] == world.work.bot_user_id
        assert [message.text for message in again.workspace.dms(world.ann)] == ["Hi"]
        assert again.workspace.home(world.ann) is not None
        assert again.snapshot() == kept


async def test_a_manifest_without_interactivity_takes_no_clicks() -> None:
    given = manifest()
    given["settings"]["interactivity"]["is_enabled"] = False
    async with LocalSlack(given, limits=quick()) as slack:
        world = World(slack)
        assert (await world.work.global_shortcut(world.ann, "show")).error == "not_interactive"
