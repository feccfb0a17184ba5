"""What many organisations cost one process: `python -m benchmarks.organisations --organisations 1 100 1000`.

Each has its own workspace, token, Stripe account and invoices. Slack and Stripe are stubs within this process that only say yes, so
that what is measured is `paylink serve` alone: a process of its own, over HTTP, as installed by clicking.
"""

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from benchmarks.measuring import Times, duration, resident
from benchmarks.organisations.filling import database, fill
from benchmarks.organisations.serving import pay, press, serving
from benchmarks.organisations.stubs import Stubs, stubs
from domain.database import Database
from domain.payments.watching import FEW, START_APART
from domain.secrets.box import Box, new_key

IDLE_SECONDS = 20.0


@dataclass(frozen=True)
class Figures:
    start: float
    at_rest: int
    idle: float
    """Of one core."""
    command: Times
    announced: Times
    asked: float
    """Of Stripe, a second, while nothing was asked for."""
    most_asked: int
    """In any one second."""


async def measure(url: str, count: int, invoices: int) -> Figures:
    keys = new_key()
    db = Database(url)
    began = time.monotonic()
    fill(db, Box([keys]), count, invoices)
    print(f"filled in {time.monotonic() - began:.0f} s", file=sys.stderr)
    try:
        async with (
            stubs(Stubs()) as both,
            aiohttp.ClientSession() as session,
            serving(url, keys, both) as one,
        ):
            # What each start looks at once has its turns by then (START_APART).
            await asyncio.sleep(8 + 1.2 * START_APART.total_seconds() * max(count - FEW, 0))
            cpu, since = _cpu(one.pid), len(both.asked)
            await asyncio.sleep(IDLE_SECONDS)
            idle = (_cpu(one.pid) - cpu) / IDLE_SECONDS
            asked = both.asked[since:]
            at_rest = resident(one.pid)
            commands = await press(session, both, one.port, range(count), invoices)
            announced = await pay(session, db, both, one.port, range(count))
        seconds = Counter(int(at) for at in asked)
        return Figures(
            one.start,
            at_rest,
            idle,
            commands,
            announced,
            len(asked) / IDLE_SECONDS,
            max(seconds.values(), default=0),
        )
    finally:
        await db.close()


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organisations", type=int, nargs="+", default=[1, 100, 1000])
    parser.add_argument("--invoices", type=int, default=1000, help="of each")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    given = parser.parse_args()
    print(
        "| organisations | start to ready | at rest | of one core, idle | `/invoice`, median and 99th percentile | paid to "
        "told, slowest | asked of Stripe, and most in a second |"
    )
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for count in given.organisations:
        with database(given.database) as url:
            found = asyncio.run(measure(url, count, given.invoices))
        print(
            f"| {count:,} | {duration(found.start)} | {found.at_rest / 2**20:.1f} MiB | {found.idle:.1%} | "
            f"{duration(found.command.median)}, {duration(found.command.percentile(99))} | "
            f"{duration(found.announced.percentile(100))} | {found.asked:.1f}/s, {found.most_asked} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
