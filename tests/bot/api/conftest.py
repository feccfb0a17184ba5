"""The API over real HTTP, on the domain whole and the local Stripe, for two organisations with tokens of their own."""

import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from bot.api.application import MOST_LINE, Api
from bot.watch.metrics import Metrics
from bot.web.stopping import clean_up
from domain.database import Database
from domain.programs import tokens
from domain.states import Right
from sandbox.stripe.api.rate import RateLimits
from sandbox.stripe.server import LocalStripe
from tests.domain import world as worlds
from tests.domain.factories import TEAM
from tests.domain.world import World

OTHER = "T0OTHER"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def problem(self) -> str:
        """Its kind."""
        assert self.headers["Content-Type"] == "application/problem+json; charset=utf-8"
        assert self.body["status"] == self.status
        return str(self.body["type"]).removeprefix("urn:paylink:")

    @property
    def problem_or_none(self) -> str | None:
        return None if self.status < 400 else self.problem


@dataclass
class Client:
    """A program with its token."""

    session: aiohttp.ClientSession
    url: str
    token: str | None

    async def ask(self, method: str, path: str, **more: Any) -> Answer:
        """``path`` as it goes over the wire, after /api."""
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        headers |= more.pop("headers", {})
        url = URL(f"{self.url}/api{path}", encoded=True)
        async with self.session.request(method, url, headers=headers, **more) as answer:
            read = await answer.json(content_type=None) if await answer.read() else None
            return Answer(answer.status, dict(answer.headers), read)

    async def get(self, path: str) -> Answer:
        return await self.ask("GET", path)

    async def put(self, invoices: Iterable[Any]) -> list[dict[str, Any]]:
        answer = await self.ask("PUT", "/invoices", json={"invoices": list(invoices)})
        assert answer.status == 200, answer
        outcomes: list[dict[str, Any]] = answer.body["outcomes"]
        return outcomes


@dataclass
class Served:
    """Two organisations' programs, ``ours`` and ``theirs``."""

    world: World
    ours: Client
    theirs: Client
    metrics: Metrics

    def client(self, *rights: Right, name: str) -> Client:
        """Another of our programs, with these rights alone."""
        return self.bearing(self.world.db.run(tokens.add, TEAM, name, rights))

    def bearing(self, token: str | None) -> Client:
        return Client(self.ours.session, self.ours.url, token)


@asynccontextmanager
async def serve(
    world: World, *, per_second: int = 1_000, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[Served]:
    metrics = Metrics()
    app = web.Application()
    Api(lambda: world.desk, metrics, per_second=per_second, clock=clock).add_to(app)
    runner = web.AppRunner(
        app, access_log=None, auto_decompress=False, max_line_size=MOST_LINE, shutdown_timeout=0.5
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    await world.serve(OTHER)
    try:
        async with aiohttp.ClientSession() as session:
            ours = Client(session, url, world.db.run(tokens.add, TEAM, "ours"))
            theirs = Client(session, url, world.db.run(tokens.add, OTHER, "theirs"))
            yield Served(world, ours, theirs, metrics)
    finally:
        await clean_up(runner)


@pytest.fixture
async def stripe() -> AsyncIterator[LocalStripe]:
    async with LocalStripe(limits=RateLimits(live=None, test=None, endpoint=None)) as server:
        yield server


@pytest.fixture
async def world(db: Database, stripe: LocalStripe) -> AsyncIterator[World]:
    async with worlds.world(db, stripe) as one:
        yield one


@pytest.fixture
async def served(world: World) -> AsyncIterator[Served]:
    async with serve(world) as one:
        yield one


def invoice(number: str, amount: str = "1200.50", **more: Any) -> dict[str, Any]:
    return {"number": number, "buyer_name": "Acme", "billing_amount": amount, "currency": "USD", **more}
