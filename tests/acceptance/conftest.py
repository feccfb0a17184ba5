"""The whole bot in this process, between a local Slack and a local Stripe, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import aiohttp
import pytest
import yaml

from bot.run.service import Service
from bot.settings import load_settings
from bot.wiring import build
from domain.database import Database, make_engine
from domain.migrations import upgrade
from domain.organisations import organisations
from sandbox.slack import LocalSlack, Workspace
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.patience import PATIENCE, patient, unhurried

MANIFEST = Path(__file__).parents[2] / "manifest.yml"
WEBHOOK_SECRET = "whsec_acceptance"
Transport = Literal["socket", "http"]
T = TypeVar("T")


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    unhurried(monkeypatch)


@dataclass
class World:
    """Slack with a person and a channel, Stripe, and the bot between them."""

    slack: LocalSlack
    stripe: LocalStripe
    service: Service
    alice: str
    channel: str
    env: dict[str, str]

    @property
    def workspace(self) -> Workspace:
        return self.slack.workspace

    @property
    def db(self) -> Database:
        return self.service.bot.db

    def add_invoice(self, number: str, **values: Any) -> int:
        organisation = self.db.run(organisations.get_by_team, self.workspace.team_id)
        return make_invoice(self.db, number, organisation_id=organisation.id, **values)

    async def until(self, predicate: Callable[[], T], timeout: float = PATIENCE) -> T:
        """The first true value of ``predicate``, which looks at Slack, Stripe or the bot."""
        async with asyncio.timeout(timeout):
            while not (value := predicate()):  # noqa: ASYNC110 - no one event tells of all these changes
                await asyncio.sleep(0.01)
        return value

    def top(self, user: str | None = None) -> str:
        """All that the visible modal says; nothing while there is none."""
        views = self.workspace.views(user or self.alice)
        return text_of(views[-1].payload) if views else ""

    async def press(self, label: str) -> None:
        await self.workspace.press(self.alice, self.workspace.top(self.alice).id, label)

    async def submit(self) -> None:
        await self.workspace.submit(self.alice, self.workspace.top(self.alice).id)

    async def get(self, path: str) -> tuple[int, Any]:
        """Ask the bot's own HTTP server."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.service.port}{path}") as answer,
        ):
            text = await answer.text()
            return answer.status, json.loads(text) if answer.content_type == "application/json" else text

    def announced(self) -> list[str]:
        """What the bot has said in the notification channel."""
        return [
            message.text for message in self.workspace.messages(self.channel) if message.bot_id is not None
        ]


def text_of(view: dict[str, Any]) -> str:
    return json.dumps(view, ensure_ascii=False)


@dataclass
class Worlds:
    """Makes worlds, and ends them with the test."""

    stack: AsyncExitStack
    database_url: str
    directory: Path

    async def services(self, transport: Transport) -> tuple[LocalSlack, LocalStripe]:
        slack = LocalSlack(yaml.safe_load(MANIFEST.read_text()), delivery=transport, limits=patient())
        await slack.start()
        self.stack.push_async_callback(slack.stop)
        stripe = await self.stack.enter_async_context(LocalStripe())
        return slack, stripe

    def settings(
        self, slack: LocalSlack, stripe: LocalStripe, transport: Transport, channel: str, **more: str
    ) -> dict[str, str]:
        env = {
            "HOME": str(self.directory),
            "DATABASE_URL": self.database_url,
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.workspace.bot_token,
            "STRIPE_API_URL": stripe.api_url,
            "STRIPE_API_KEY": stripe.api_key,
            "PAYLINK_NOTIFICATION_CHANNEL": channel,
            "PORT": "0",
            "STRIPE_WEBHOOK_SECRET": f"whsec_old, {WEBHOOK_SECRET}",
        }
        if transport == "socket":
            env["SLACK_APP_TOKEN"] = slack.app_token
        else:
            env["SLACK_SIGNING_SECRET"] = slack.signing_secret
        return env | more

    async def start(self, env: dict[str, str]) -> Service:
        service = Service(build(load_settings(env, self.directory)))
        self.stack.push_async_callback(service.stop)
        await service.start()
        return service

    async def make(self, transport: Transport = "socket", **more: str) -> World:
        """A world in which everything is up."""
        slack, stripe = await self.services(transport)
        alice = slack.workspace.add_person("alice")
        channel = slack.workspace.add_channel("payments")
        env = self.settings(slack, stripe, transport, channel, **more)
        service = await self.start(env)
        await service.begun.wait()
        slack.request_url = f"http://127.0.0.1:{service.port}/slack/events"
        if transport == "socket":
            await slack.connected()
        return World(slack, stripe, service, alice, channel, env)

    def add_webhook(self, world: World) -> None:
        world.stripe.add_webhook(
            f"http://127.0.0.1:{world.service.port}/stripe/webhook", secrets=[WEBHOOK_SECRET]
        )


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def blank_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database as `serve` finds it at its first start: SQLite without a file, PostgreSQL after `db upgrade`."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/data/paylink.sqlite3"
        return
    url: str = request.getfixturevalue("blank_postgresql_url")
    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()
    yield url


@pytest.fixture
async def worlds(blank_database_url: str, tmp_path: Path) -> AsyncIterator[Worlds]:
    """On both databases."""
    async with AsyncExitStack() as stack:
        yield Worlds(stack, blank_database_url, tmp_path)


@pytest.fixture
async def sqlite_worlds(tmp_path: Path) -> AsyncIterator[Worlds]:
    """On SQLite alone, for what doesn't depend on the database."""
    async with AsyncExitStack() as stack:
        yield Worlds(stack, f"sqlite:///{tmp_path}/data/paylink.sqlite3", tmp_path)
