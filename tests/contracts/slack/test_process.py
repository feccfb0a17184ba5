"""The local Slack as a process of its own, and what it is told to put away."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import LocalSlack
from tests.contracts.slack.fixtures import (
    MANIFEST,
    Json,
    World,
    home,
    manifest,
    quick,
)


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
