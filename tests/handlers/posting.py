"""A poster in front of a local Slack, and announcements for it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from domain.messages.summaries import Announcement
from domain.states import AnnouncementKind
from handlers.poster import SlackPoster
from sandbox.slack import LocalSlack
from tests.handlers.samples import invoice, paid

ROOT = Path(__file__).resolve().parents[2]
CHANNEL = "C0PAYMENTS"


def payment(key: str = "key-1") -> Announcement:
    return Announcement(
        id=1,
        organisation_id=1,
        kind=AnnouncementKind.PAID,
        key=key,
        destination=CHANNEL,
        attempts=0,
        may_be_posted=False,
        attempted_at=datetime.now(UTC),
        invoice=paid(invoice(1)),
    )


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text())
    async with LocalSlack(manifest) as slack:
        slack.limits.messages_per_second = 1000
        slack.limits.message_burst = 1000
        slack.workspace.add_person("anna", user_id="U0ANNA")
        slack.workspace.add_channel("payments", channel_id=CHANNEL)
        yield slack


@pytest.fixture
async def poster(slack: LocalSlack) -> AsyncIterator[SlackPoster]:
    async with aiohttp.ClientSession() as session:
        yield SlackPoster(
            AsyncWebClient(token=slack.workspace.bot_token, base_url=slack.api_url, session=session)
        )


def posted(slack: LocalSlack) -> int:
    return len(slack.workspace.messages(CHANNEL))
