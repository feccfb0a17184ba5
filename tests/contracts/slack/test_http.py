"""How payloads travel over HTTP: signed, to the manifest's URLs, in forms and JSON."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier

from sandbox.slack import LocalSlack, for_http
from sandbox.slack.state.manifest import Manifest
from sandbox.slack.transport.posts import Posts
from sandbox.stopping import clean_up
from tests.contracts.slack.fixtures import (
    MANIFEST,
    Json,
    Running,
    World,
    make_app,
    manifest,
    over_http,
    quick,
)
from tests.patience import PATIENCE


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
