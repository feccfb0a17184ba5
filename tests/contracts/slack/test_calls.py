"""Tokens, scopes, rate limits and faults of the local Slack's Web API, through the official client."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import Fault, LocalSlack
from tests.contracts.slack.fixtures import (
    World,
    make_world,
    manifest,
    modal,
    quick,
    refused,
)
from tests.patience import PATIENCE, let_pass


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with make_world() as made:
        yield made


async def test_auth_test_tells_team_and_bot_and_headers_tell_scopes(world: World) -> None:
    answer = await world.client.auth_test()
    assert (answer["team_id"], answer["user_id"]) == (world.work.team_id, world.work.bot_user_id)
    assert (
        answer.headers["x-oauth-scopes"] == "commands,chat:write,channels:history,groups:history,files:write"
    )


@pytest.mark.parametrize(("token", "code"), [("", "not_authed"), ("xoxb-nobody", "invalid_auth")])
async def test_a_token_that_nobody_issued_is_refused(world: World, token: str, code: str) -> None:
    world.client.token = token
    assert (await refused(world.client.auth_test()))["error"] == code


async def test_a_revoked_token_is_refused(world: World) -> None:
    world.slack.revoke(world.work.bot_token)
    assert (await refused(world.client.auth_test()))["error"] == "token_revoked"


async def test_a_method_needs_its_scope(world: World) -> None:
    answer = await refused(world.client.users_info(user=world.ann))
    assert (answer["error"], answer["needed"]) == ("missing_scope", "users:read")
    assert "chat:write" in answer["provided"]


async def test_bot_and_app_tokens_are_not_interchangeable(world: World) -> None:
    app = AsyncWebClient(token=world.slack.app_token, base_url=world.slack.api_url)
    posted = await refused(app.chat_postMessage(channel=world.general, text="x"))
    opened = await refused(world.client.apps_connections_open(app_token=world.work.bot_token))
    assert posted["error"] == opened["error"] == "not_allowed_token_type"
    assert (await app.auth_test())["app_id"] == world.slack.app.app_id


async def test_an_app_token_without_connections_write_opens_no_socket(world: World) -> None:
    world.slack.app.app_token_scopes = []
    client = AsyncWebClient(base_url=world.slack.api_url)
    answer = await refused(client.apps_connections_open(app_token=world.slack.app_token))
    assert (answer["error"], answer["needed"]) == ("missing_scope", "connections:write")


async def test_another_workspaces_token_reaches_neither_channels_nor_views(world: World) -> None:
    other = world.slack.add_workspace("T0OTHER", "Other")
    client = AsyncWebClient(token=other.bot_token, base_url=world.slack.api_url)
    posted = await refused(client.chat_postMessage(channel=world.general, text="x"))
    opened = await refused(client.views_open(trigger_id=world.trigger(), view=modal()))
    assert (posted["error"], opened["error"]) == ("channel_not_found", "invalid_trigger_id")


async def test_a_method_that_does_not_exist_is_unknown(world: World) -> None:
    assert (await refused(world.client.api_call("chat.sing")))["error"] == "unknown_method"


async def test_a_channel_takes_a_message_a_second() -> None:
    now = [1000.0]
    async with LocalSlack(manifest(), limits=quick(message_burst=2), clock=lambda: now[0]) as slack:
        world = World(slack)
        for _ in range(2):
            await world.client.chat_postMessage(channel=world.general, text="x")
        answer = await refused(world.client.chat_postMessage(channel=world.general, text="x"))
        assert (answer.status_code, answer["error"], answer.headers["retry-after"]) == (
            429,
            "ratelimited",
            "1",
        )
        await world.client.chat_postMessage(channel=world.ann, text="another conversation")
        now[0] += 1
        await world.client.chat_postMessage(channel=world.general, text="x")
        assert len(world.work.messages(world.general)) == 3


async def test_tiers_are_enforced_where_a_test_sets_them(world: World) -> None:
    world.slack.limits.calls_per_minute = {"auth.test": 1}
    await world.client.auth_test()
    assert (await refused(world.client.auth_test())).status_code == 429


@pytest.mark.parametrize(
    ("fault", "posted"),
    [
        (Fault("chat.*"), 0),
        (Fault("chat.postMessage", when="after"), 1),
        (Fault("chat.postMessage", do="status", status=500), 0),
        (Fault("chat.postMessage", when="after", do="status", status=500), 1),
        (Fault("*", do="status", status=429, seconds=2), 0),
        (Fault("*", do="error", error="fatal_error"), 0),
    ],
)
async def test_a_call_fails_before_or_after_its_effect(world: World, fault: Fault, posted: int) -> None:
    world.slack.faults.add(fault)
    with pytest.raises((SlackApiError, aiohttp.ClientError)):
        await world.client.chat_postMessage(channel=world.general, text="x")
    assert len(world.work.messages(world.general)) == posted
    await world.client.chat_postMessage(channel=world.general, text="x")
    assert world.work.calls[0].fault is not None


async def test_an_answer_may_come_late(world: World) -> None:
    late = world.slack.faults.add(Fault("chat.postMessage", when="after", do="slow", seconds=math.inf))
    world.client.timeout = round(PATIENCE)
    posting = asyncio.create_task(world.client.chat_postMessage(channel=world.general, text="x"))
    await world.work.wait_for(lambda: late.struck)
    await let_pass(2 * PATIENCE)
    with pytest.raises(TimeoutError):
        await posting
    world.slack.faults.remove(late)
    assert len(world.work.messages(world.general)) == 1


async def test_an_outage_cuts_every_call_until_it_ends(world: World) -> None:
    await world.slack.outage()
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await world.client.auth_test()
    await world.slack.outage(False)
    await world.client.auth_test()


async def test_seeded_faults_strike_the_same_calls_again() -> None:
    def strikes(seed: int) -> list[bool]:
        faults = LocalSlack(manifest(), seed=seed).faults
        faults.add(Fault("*", times=None, probability=0.3))
        return [faults.strike("auth.test") is not None for _ in range(50)]

    assert strikes(1) == strikes(1) != strikes(2)
    assert 5 < sum(strikes(1)) < 25
