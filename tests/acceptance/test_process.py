"""``paylink serve`` as a process of its own: signals, exit statuses, and what it says on its way out."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from tests.acceptance.conftest import Worlds


async def run(env: dict[str, str], directory: Path) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "serve", "--verbose", env=env, cwd=directory, stdout=PIPE, stderr=PIPE
    )


async def test_sigterm_ends_it_with_status_0_and_logs_hold_no_secret(sqlite_worlds: Worlds) -> None:
    slack, stripe = await sqlite_worlds.services("socket")
    channel = slack.workspace.add_channel("payments")
    alice = slack.workspace.add_person("alice")
    env = sqlite_worlds.settings(slack, stripe, "socket", channel)
    process = await run(env, sqlite_worlds.directory)
    try:
        await slack.connected()
        await slack.workspace.command(alice, channel, "/invoice Very Private Buyer")
        await slack.settled()
    finally:
        process.send_signal(signal.SIGTERM)
    logs, errors = await process.communicate()

    assert process.returncode == 0
    assert errors == b""
    lines = [json.loads(line) for line in logs.decode().splitlines()]
    assert [line["event"] for line in lines][-1] == "service.stopped"
    for secret in (env["SLACK_BOT_TOKEN"], env["SLACK_APP_TOKEN"], env["STRIPE_API_KEY"], "Very Private"):
        assert secret not in logs.decode()


async def test_a_refused_token_ends_it_with_status_2_and_one_sentence(sqlite_worlds: Worlds) -> None:
    slack, stripe = await sqlite_worlds.services("socket")
    env = sqlite_worlds.settings(slack, stripe, "socket", "C0PAYMENTS", SLACK_BOT_TOKEN="xoxb-hunter2")
    process = await run(env, sqlite_worlds.directory)

    logs, errors = await process.communicate()

    assert process.returncode == 2
    [sentence] = errors.decode().splitlines()
    assert sentence.startswith("Slack refuses SLACK_BOT_TOKEN (invalid_auth)")
    assert b"hunter2" not in logs + errors
    assert b"Traceback" not in logs + errors
