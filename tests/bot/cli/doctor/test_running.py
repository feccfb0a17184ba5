"""What the doctor hears from a Paylink that runs, and from Slack's clock."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from bot.cli.doctor.blocks import examine_blocks
from bot.cli.doctor.findings import Finding, Level
from bot.cli.doctor.running import examine_running
from bot.cli.doctor.slack import examine_clock, examine_scopes
from bot.scopes import OPTIONAL, SCOPES
from bot.settings import load_settings
from bot.watch.health import Health
from bot.watch.metrics import Metrics
from bot.web.server import HttpServer, StripeEndpoint
from domain.payments.events import Receipt
from handlers.specimens import whole as specimens
from sandbox.slack import LocalSlack
from sandbox.slack.state.faults import Fault

MANIFEST = yaml.safe_load((Path(__file__).parents[4] / "manifest.yml").read_text())


async def running(
    metrics: Metrics, health: Health, directory: Path, secret: str = "whsec_1"
) -> list[Finding]:
    async def receive(_event: object) -> Receipt:
        return Receipt.KEPT

    async def figures() -> bytes:
        return metrics.render()

    stripe = StripeEndpoint(receive, metrics, (), False, lambda: datetime.now(UTC))
    server = HttpServer(
        0, slack=None, stripe=stripe, health=health, ping=lambda: asyncio.sleep(0), figures=figures
    )
    await server.start()
    env = {"HOME": "/nowhere", "PORT": str(server.port), "STRIPE_WEBHOOK_SECRET": secret}
    found = [finding async for finding in examine_running(load_settings(env, directory))]
    await server.stop()
    return found


@pytest.mark.parametrize(
    ("outcomes", "level", "told"),
    [
        ({}, Level.NOTE, "nothing has come"),
        ({"signature": 3}, Level.WRONG, "3 times it isn't signed with the signing secret"),
        ({"other mode": 2, "not used": 1}, Level.NOTE, "2 times it is of the other mode"),
        ({"not used": 4}, Level.NOTE, "4 times it is of a type"),
        ({"kept": 5, "not ours": 2, "signature": 1}, Level.WELL, "7 deliveries came through"),
    ],
)
async def test_what_comes_to_the_webhook_is_told(
    outcomes: dict[str, int], level: Level, told: str, tmp_path: Path
) -> None:
    metrics = Metrics()
    for outcome, count in outcomes.items():
        metrics.webhooks.labels(outcome).inc(count)

    [finding] = await running(metrics, Health(), tmp_path)

    assert finding.level is level
    assert told in finding.what


async def test_why_the_running_paylink_is_not_ready_is_told(tmp_path: Path) -> None:
    health = Health()
    health.bad("slack", "Slack can't be reached.")

    [finding] = await running(Metrics(), health, tmp_path, secret="")

    assert finding.what.endswith("isn't ready. Slack can't be reached.")


async def test_where_nothing_runs_nothing_is_told(tmp_path: Path) -> None:
    settings = load_settings({"HOME": "/nowhere", "PORT": "9"}, tmp_path)
    assert [finding async for finding in examine_running(settings)] == []


async def test_a_clock_that_is_not_slacks_is_told() -> None:
    slack = LocalSlack(MANIFEST)
    await slack.start()
    client = AsyncWebClient(base_url=slack.api_url)
    now = datetime.now(UTC)
    assert await examine_clock(client, now) is None
    behind, ahead = [await examine_clock(client, now + timedelta(minutes=apart)) for apart in (-3, 9)]
    await slack.stop()

    assert behind is not None
    assert (behind.level, "3 minutes behind" in behind.what) == (Level.NOTE, True)
    assert ahead is not None
    assert (ahead.level, "9 minutes ahead of" in ahead.what) == (Level.WRONG, True)


def test_more_scopes_than_are_asked_for_are_told() -> None:
    ours = frozenset(SCOPES | OPTIONAL)
    [well] = examine_scopes(ours)
    assert well.level is Level.WELL
    [_, more] = examine_scopes(ours | {"channels:manage"})
    assert more.what.endswith("more than Paylink asks for: channels:manage.")


async def test_slack_is_shown_each_view_and_message_and_what_it_refuses_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slack = LocalSlack(MANIFEST)
    await slack.start()
    client = AsyncWebClient(slack.workspace.bot_token, base_url=slack.api_url)
    well = await examine_blocks(client)
    monkeypatch.setattr(
        specimens, "messages", lambda: {"hello": {"text": "", "blocks": [{"type": "heading"}]}}
    )
    wrong = await examine_blocks(client)
    slack.faults.add(Fault("blocks.validate", do="error", error="unknown_method"))
    unknown = await examine_blocks(client)
    await slack.stop()

    assert (well.level, "Slack takes all" in well.what) == (Level.WELL, True)
    assert wrong.level is Level.WRONG
    assert "hello (unsupported block type: heading at /blocks/0/type)" in wrong.what
    assert unknown.level is Level.NOTE
    assert "it answers unknown_method to blocks.validate" in unknown.what
