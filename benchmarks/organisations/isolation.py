"""What one organisation's trouble costs the others: `python -m benchmarks.organisations.isolation --organisations 100 --rounds 5`.

Rounds alternate, one quiet, one with the trouble, so that whatever else the machine does is in both. Each sends commands of the
organisations that have none, and has some of their links paid. Otherwise as `python -m benchmarks.organisations`.
"""

import argparse
import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from benchmarks.measuring import Times, duration
from benchmarks.organisations.filling import database, fill, waiting_link
from benchmarks.organisations.serving import COMMANDS, deliver, pay, press, serving
from benchmarks.organisations.stubs import Stubs, stripe_key, stubs
from domain.database import Database
from domain.payments.watching import FEW, START_APART
from domain.secrets.box import Box, new_key

KINDS = ("Stripe hangs", "key revoked", "channel gone", "events at once")
EVENTS, SENDERS = 10_000, 50
REVOKED = {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}}


@dataclass
class Troubled(Stubs):
    """As the stubs, but for whom it is said otherwise: Stripe's keys, and Slack's channels."""

    hanging: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def stripe(self, request: web.Request) -> web.Response:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if key in self.revoked:
            return web.json_response(REVOKED, status=401)
        if key in self.hanging:
            await self.released.wait()
        return await super().stripe(request)

    async def slack(self, request: web.Request) -> web.Response:
        given = await request.post()
        if request.match_info["method"] == "chat.postMessage" and given.get("channel") in self.gone:
            return web.json_response({"ok": False, "error": "channel_not_found"})
        return await super().slack(request)


@dataclass
class Bench:
    session: aiohttp.ClientSession
    db: Database
    both: Troubled
    port: int
    invoices: int
    troubled: range
    others: range
    events: int
    sent: int = 0

    async def round(self) -> tuple[Times, Times]:
        """Of the others: commands, and from paid to told."""
        commands = await press(self.session, self.both, self.port, self.others, self.invoices, self.sent)
        self.sent += COMMANDS
        return commands, await pay(self.session, self.db, self.both, self.port, self.others)

    @contextlib.asynccontextmanager
    async def trouble(self, kind: str) -> AsyncIterator[None]:
        both, keys = self.both, {stripe_key(index) for index in self.troubled}
        both.released = asyncio.Event()
        if kind == "Stripe hangs":
            both.hanging = keys
        elif kind == "key revoked":
            both.revoked = keys
        elif kind == "channel gone":
            both.gone = {f"C{index:08d}" for index in self.troubled}
        flood = asyncio.create_task(self._flood(kind))
        # Until the trouble is felt.
        await asyncio.sleep(2)
        try:
            yield
        finally:
            both.released.set()
            both.hanging, both.revoked, both.gone = set(), set(), set()
            await flood

    async def _flood(self, kind: str) -> None:
        """A payment for each that is troubled; or all events for the first of them."""
        if kind != "events at once":
            for index in self.troubled:
                paid = await self.db.read(waiting_link, index)
                await deliver(self.session, self.port, index, f"evt_{paid}_{time.monotonic_ns()}", paid)
            return
        first = self.troubled[0]
        paid = await self.db.read(waiting_link, first)
        left = iter(range(self.events))

        async def send() -> None:
            for n in left:
                await deliver(self.session, self.port, first, f"evt_{n}_{time.monotonic_ns()}", paid)

        await asyncio.gather(*(send() for _ in range(SENDERS)))


def together(times: list[Times]) -> Times:
    return Times(tuple(one for each in times for one in each.seconds))


async def measure(url: str, given: argparse.Namespace) -> None:
    keys, db = new_key(), Database(url)
    fill(db, Box([keys]), given.organisations, given.invoices)
    try:
        async with (
            stubs(Troubled()) as both,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
            serving(url, keys, both) as one,
        ):
            assert isinstance(both, Troubled)
            await asyncio.sleep(8 + 2 * START_APART.total_seconds() * max(given.organisations - FEW, 0))
            troubled = range(max(given.organisations // 10, 1))
            others = range(len(troubled), given.organisations)
            bench = Bench(session, db, both, one.port, given.invoices, troubled, others, given.events)
            await bench.round()
            for kind in KINDS:
                quiet, trouble = [], []
                for _ in range(given.rounds):
                    quiet.append(await bench.round())
                    async with bench.trouble(kind):
                        trouble.append(await bench.round())
                _print(kind, *zip(*quiet, strict=True), *zip(*trouble, strict=True))
    finally:
        await db.close()


def _print(
    kind: str,
    commands: tuple[Times, ...],
    told: tuple[Times, ...],
    troubled_commands: tuple[Times, ...],
    troubled_told: tuple[Times, ...],
) -> None:
    row = [kind]
    for quiet, trouble, percent in (
        (commands, troubled_commands, 50),
        (commands, troubled_commands, 99),
        (told, troubled_told, 50),
        (told, troubled_told, 99),
    ):
        before = together(list(quiet)).percentile(percent)
        beside = together(list(trouble)).percentile(percent)
        row.append(f"{duration(before)}, {duration(beside)}: {beside / before:.2f}")
    print(f"| {' | '.join(row)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organisations", type=int, default=100)
    parser.add_argument("--invoices", type=int, default=1000, help="of each; one in twenty has a link")
    parser.add_argument("--rounds", type=int, default=5, help="of each kind")
    parser.add_argument("--events", type=int, default=EVENTS, help="delivered at once")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    given = parser.parse_args()
    print(
        "| trouble of a tenth | `/invoice`, median | its 99th percentile | paid to told, median | slowest |"
    )
    print("| --- | ---: | ---: | ---: | ---: |")
    with database(given.database) as url:
        asyncio.run(measure(url, given))


if __name__ == "__main__":
    main()
