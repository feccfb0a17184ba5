"""What the doctor examines: a Slack, a Stripe, and settings for both."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from bot.cli.doctor.examination import examine
from domain import database
from domain.database import Database
from domain.migrations import upgrade
from sandbox.slack import LocalSlack
from sandbox.stripe.server import LocalStripe
from tests.conftest import SHIPPED_SYNCHRONOUS

MANIFEST = yaml.safe_load((Path(__file__).parents[4] / "manifest.yml").read_text())


@dataclass
class World:
    slack: LocalSlack
    stripe: LocalStripe
    env: dict[str, str]
    channel: str

    async def examine(self, **more: str) -> tuple[int, str]:
        """The exit status and what was printed. The doctor has a loop of its own, as on the command line."""
        out = io.StringIO()
        console = Console(file=out, highlight=False, soft_wrap=True)
        status = await asyncio.to_thread(examine, self.env | more, console)
        return status, out.getvalue()

    def prepared(self) -> Database:
        db = Database(self.env["DATABASE_URL"])
        upgrade(db.engine)
        return db


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(database, "SYNCHRONOUS", SHIPPED_SYNCHRONOUS)
    slack = LocalSlack(MANIFEST)
    await slack.start()
    async with LocalStripe() as stripe:
        channel = slack.workspace.add_channel("payments")
        env = {
            "HOME": str(tmp_path),
            "DATABASE_URL": f"sqlite:///{tmp_path}/paylink.sqlite3",
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.workspace.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "STRIPE_API_URL": stripe.api_url,
            "STRIPE_API_KEY": stripe.api_key,
            "STRIPE_WEBHOOK_SECRET": "whsec_1",
            "PORT": "3000",
            "PAYLINK_NOTIFICATION_CHANNEL": channel,
        }
        yield World(slack, stripe, env, channel)
    await slack.stop()
