"""`python -m sandbox.slack`: the local Slack as a process of its own; its addresses and secrets as one line of JSON.

It runs until it is interrupted or terminated. People and channels are made beforehand with --person and --channel, or
later over /_local/do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from sandbox.slack.control import state_of
from sandbox.slack.server import LocalSlack
from sandbox.slack.state.manifest import for_http, for_installing


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.slack")
    parser.add_argument("--manifest", type=Path, required=True, help="the app's manifest (YAML or JSON)")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delivery", choices=["socket", "http"], default="socket")
    parser.add_argument("--request-url", help="HTTP delivery: where all payloads go; changes the manifest so")
    parser.add_argument("--team", default="T0PAYLINK1")
    parser.add_argument("--bot-token")
    parser.add_argument("--app-token")
    parser.add_argument("--signing-secret")
    parser.add_argument(
        "--redirect-url", action="append", default=[], help="where an installation may lead back to"
    )
    parser.add_argument("--rotates", action="store_true", help="tokens rotate")
    parser.add_argument(
        "--workspace", action="append", default=[], metavar="ID=NAME", help="another workspace"
    )
    parser.add_argument("--not-installed", action="store_true", help="the app is in no workspace yet")
    parser.add_argument("--person", action="append", default=[], metavar="ID=NAME")
    parser.add_argument("--channel", action="append", default=[], metavar="ID=NAME")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


async def run(given: argparse.Namespace) -> None:
    manifest = yaml.safe_load(given.manifest.read_text(encoding="utf-8"))
    if given.request_url:
        manifest = for_http(manifest, given.request_url)
    if given.redirect_url:
        manifest = for_installing(manifest, *given.redirect_url, rotates=given.rotates)
    slack = LocalSlack(
        manifest,
        delivery=given.delivery,
        team_id=given.team,
        bot_token=given.bot_token,
        app_token=given.app_token,
        signing_secret=given.signing_secret,
        seed=given.seed,
        installed=not given.not_installed,
    )
    for workspace in given.workspace:
        team_id, _, name = workspace.partition("=")
        slack.add_workspace(team_id, name, installed=not given.not_installed)
    for person in given.person:
        user_id, _, name = person.partition("=")
        slack.workspace.add_person(name, user_id=user_id)
    for channel in given.channel:
        channel_id, _, name = channel.partition("=")
        slack.workspace.add_channel(name, channel_id=channel_id)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await slack.start(given.port)
    sys.stdout.write(json.dumps(state_of(slack)) + "\n")
    sys.stdout.flush()
    try:
        await stopped.wait()
    finally:
        await slack.stop()


if __name__ == "__main__":
    asyncio.run(run(arguments(sys.argv[1:])))
