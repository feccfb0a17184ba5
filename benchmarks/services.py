"""The bots and the services that they talk to, put together for measuring."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.data import TEAM
from domain.coordination.leases import Lease
from domain.database import Database
from domain.desk import Desk
from domain.imports.running import FileImports
from domain.links.creation import LinkCreation
from domain.organisations import organisations
from domain.payments.watching import Watching
from domain.rights.people import AllMembers
from domain.stripe.accounts import Accounts
from domain.stripe.client import StripeApi, quiet_sdk
from domain.stripe.pace import StripePace
from domain.summaries import Actor

ROOT = Path(__file__).resolve().parents[1]
RATE = 23.0
ANNA = Actor(TEAM, "U0ANNA")


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class StripeServer:
    """The local Stripe in a process of its own, with Stripe's own limits."""

    api_url: str
    api_key: str

    async def requests(self, since: int = 0) -> list[dict[str, Any]]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.api_url}/_local/requests", params={"since": str(since)}) as answer,
        ):
            found: list[dict[str, Any]] = await answer.json()
            return found

    async def tell(self, action: str, **given: Any) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.api_url}/_local/{action}", json=given) as answer,
        ):
            return await answer.json()

    async def answer_after(self, seconds: float) -> None:
        """Let each answer of the API take so long, as the real one's do."""
        async with (
            aiohttp.ClientSession() as session,
            session.delete(f"{self.api_url}/_local/faults"),
        ):
            pass
        if seconds:
            await self.tell("faults", kind="slow", times=None, seconds=seconds)


@dataclass(frozen=True)
class SlackServer:
    """A Slack that says yes, in a process of its own."""

    url: str

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    async def calls(self) -> list[tuple[str, str, float]]:
        """What was called since the last look: method, trigger or channel, and when by the clock that all processes share."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/calls") as answer:
            return [(method, trigger, at) for method, trigger, at in await answer.json()]


@contextlib.contextmanager
def slack_server() -> Iterator[SlackServer]:
    with _process("benchmarks.slack_stub") as facts:
        yield SlackServer(facts["url"])


@contextlib.contextmanager
def stripe_server() -> Iterator[StripeServer]:
    with _process("benchmarks.stripe_server") as facts:
        yield StripeServer(facts["api_url"], facts["api_key"])


@contextlib.contextmanager
def _process(module: str) -> Iterator[dict[str, Any]]:
    """A server that says on its first line where it is."""
    process = subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


class Paylink:
    """Paylink's services on a database and a Stripe, wired as bot/wiring.py does it, without Slack."""

    def __init__(self, db: Database, stripe: StripeServer, rate: float = RATE) -> None:
        quiet_sdk()
        self.db = db
        self.api = StripeApi(stripe.api_key, base_url=stripe.api_url, spacing=0.96 / rate)
        self.accounts = Accounts(db, clock=now)
        pace = StripePace(db, rate)
        minute = timedelta(seconds=60)
        lease = Lease(f"bench-{os.getpid()}", minute, minute)
        self.watching = Watching(db, self.accounts, pace, lease, poll_every=timedelta(0), clock=now)
        self.creation = LinkCreation(
            db, self.accounts, pace, lease, clock=now, catch_up=self.watching.catch_up
        )
        imports = FileImports(db, lease, clock=now)
        self.desk = Desk(db, self.accounts, self.creation, self.watching, imports, now, people=AllMembers())


@asynccontextmanager
async def paylink(url: str, stripe: StripeServer, rate: float = RATE) -> AsyncIterator[Paylink]:
    db = Database(url)
    one = Paylink(db, stripe, rate)
    try:
        organisation = db.run(organisations.sole)
        assert organisation is not None
        account = await one.accounts.open(organisation.id, one.api)
        assert await account.settle()
        yield one
    finally:
        await one.creation.finish()
        await one.api.close()
        await db.close()
