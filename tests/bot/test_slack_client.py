"""What Slack says about whose token this is; whatever isn't Slack's answer means that Slack is away."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import load_settings
from bot.slack_client import (
    RateLimitRetryHandler,
    SlackAway,
    SlackRefused,
    fetch_identity,
    make_client,
    make_session,
    refusal,
)
from bot.watch.metrics import Metrics
from handlers.bolt.answers import SLACK_AWAY, told_seconds
from sandbox.slack import Fault, LocalSlack
from tests.patience import PATIENCE

MANIFEST = {
    "display_information": {"name": "Tester"},
    "features": {},
    "oauth_config": {"scopes": {"bot": ["commands"]}},
    "settings": {},
}


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    server = LocalSlack(MANIFEST)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(slack: LocalSlack) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        one = AsyncWebClient(
            token=slack.workspace.bot_token, base_url=slack.api_url, session=session, retry_handlers=[]
        )
        one.proxy = None
        yield one


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/html"])
@pytest.mark.parametrize("status", [200, 404, 500, 502])
@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", "[1]", "null", "3", '{"ok": false, "error": ["invalid_auth"]}']
)
async def test_what_is_no_answer_of_slacks_means_that_it_is_away(
    slack: LocalSlack, client: AsyncWebClient, body: str, status: int, content_type: str
) -> None:
    slack.app.faults.add(
        method="auth.test", do="garbled", status=status, body=body, content_type=content_type
    )
    with pytest.raises(SlackAway):
        await fetch_identity(client)


@pytest.mark.parametrize("team_id", ["null", "7", '""', '"None of it"', '["T1"]'])
async def test_an_answer_without_a_workspace_is_none(
    slack: LocalSlack, client: AsyncWebClient, team_id: str
) -> None:
    slack.app.faults.add(
        method="auth.test", do="garbled", status=200, body=f'{{"ok": true, "team_id": {team_id}}}'
    )
    with pytest.raises(SlackAway):
        await fetch_identity(client)


async def test_whose_token_it_is_and_that_it_is_refused(slack: LocalSlack, client: AsyncWebClient) -> None:
    identity = await fetch_identity(client)
    assert identity.team_id == slack.workspace.team_id

    slack.revoke(slack.workspace.bot_token)
    with pytest.raises(SlackRefused, match="token_revoked"):
        await fetch_identity(client)


@pytest.mark.parametrize(
    ("method", "seconds", "again"),
    [
        ("views.open", "2", True),
        ("views.open", "30", False),
        ("views.push", "3", False),
        ("views.update", "30", True),
        ("chat.postMessage", "30", True),
        ("chat.postMessage", "600", False),
        ("apps.connections.open", "1", False),
        ("views.open", "", True),
    ],
)
async def test_a_429_is_waited_out_but_not_for_longer_than_a_trigger_lives(
    method: str, seconds: str, again: bool
) -> None:
    request = HttpRequest(method="POST", url=f"https://slack.com/api/{method}", headers={})
    limited = HttpResponse(status_code=429, headers={"Retry-After": seconds})
    answered = HttpResponse(status_code=200, headers={})
    handler = RateLimitRetryHandler(max_retry_count=1)

    assert await handler.can_retry_async(state=RetryState(), request=request, response=limited) is again
    assert not await handler.can_retry_async(state=RetryState(), request=request, response=answered)
    assert not await handler.can_retry_async(
        state=RetryState(current_attempt=1), request=request, response=limited
    )


ODD = ["", "0.5", "Mon, 30 Nov 2026 09:00:00 GMT", "nan", "-3"]


@pytest.mark.parametrize("told", ODD)
async def test_a_429_with_an_odd_retry_after_is_waited_out_too(slack: LocalSlack, told: str) -> None:
    settings = load_settings(
        {"SLACK_BOT_TOKEN": slack.workspace.bot_token, "SLACK_API_URL": slack.api_url, "HOME": "/"}
    )
    for garbled in (False, True):
        slack.app.faults.add(
            Fault(
                "auth.test",
                do="garbled" if garbled else "status",
                body="<html>",
                status=429,
                retry_after=told,
            )
        )
        async with make_session(Metrics()) as session:
            identity = await fetch_identity(make_client(settings, session))
        assert identity.team_id == slack.workspace.team_id


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("7", 7), ("0.5", 0.5), ("", 1), ("soon", 1), (None, 1), ("-3", 0), ("inf", 1), ("99999", 3600)],
)
def test_retry_after_is_a_number_or_a_second(told: str | None, seconds: float) -> None:
    headers = {} if told is None else {"Retry-After": told}
    assert told_seconds(headers) == seconds
    assert told_seconds({name: [value] for name, value in headers.items()}) == seconds


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", "upstream says no"),
        ("text/html", "<html>"),
        ("application/json", ""),
        ("application/json", "[]"),
        ("application/json", "null"),
        ("application/json", '"ok"'),
        ("application/json", "\udcff\udcfe"),
        ("text/plain", "\udcff\udcfe"),
    ],
)
async def test_an_answer_that_is_no_object_is_slack_being_away_whoever_asks(
    slack: LocalSlack, content_type: str, body: str
) -> None:
    settings = load_settings(
        {"SLACK_BOT_TOKEN": slack.workspace.bot_token, "SLACK_API_URL": slack.api_url, "HOME": "/"}
    )
    slack.app.faults.add(
        method="*",
        do="garbled",
        status=200,
        body=body,
        content_type=content_type,
        times=None,
    )
    async with make_session(Metrics()) as session:
        client = make_client(settings, session)
        for call in (
            client.views_update(view_id="V1", view={}),
            client.views_publish(user_id="U1", view={}),
            client.chat_delete(channel="C1", ts="1.2"),
        ):
            with pytest.raises(SLACK_AWAY):
                await call


async def test_an_org_wide_token_is_refused_with_a_sentence(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    slack.workspace.join_enterprise("E0GRID", org_wide=True)
    with pytest.raises(SlackRefused, match="org-wide") as refused:
        await fetch_identity(client)
    assert "install the app in a single workspace" in refusal(refused.value.code)

    slack.workspace.join_enterprise("E0GRID")
    assert (await fetch_identity(client)).team_id == slack.workspace.team_id


async def test_a_hundred_calls_that_hang_leave_room_for_others() -> None:
    arrived, go = asyncio.Queue[None](), asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        arrived.put_nowait(None)
        await go.wait()
        return web.Response()

    app = web.Application()
    app.router.add_get("/", hang)
    async with TestServer(app) as server, make_session(Metrics()) as session:
        asking = [asyncio.ensure_future(session.get(server.make_url("/"))) for _ in range(101)]
        async with asyncio.timeout(PATIENCE):
            for _ in asking:
                await arrived.get()
        go.set()
        for answer in await asyncio.gather(*asking):
            answer.close()
