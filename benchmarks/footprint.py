"""How soon `paylink serve` is ready, what it holds at rest, what an invoice takes on disk, and what one poll asks."""

import asyncio
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import sqlalchemy as sa
import stripe
from slack_sdk import WebClient

from benchmarks import obvious_bot
from benchmarks.measuring import resident
from benchmarks.services import ROOT, SlackServer, StripeServer, paylink

REST_SECONDS = 5.0


@dataclass(frozen=True)
class Start:
    seconds: float
    """From the command to the first "ready"."""
    at_rest: int
    """Bytes held some seconds later."""


async def start(url: str, server: StripeServer, slack: SlackServer) -> Start:
    port = _free_port()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "DATABASE_URL": url,
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_SIGNING_SECRET": "bench",
        "SLACK_API_URL": slack.api_url,
        "STRIPE_API_KEY": server.api_key,
        "STRIPE_API_URL": server.api_url,
        "PORT": str(port),
    }
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "serve",
        cwd=ROOT,
        env=env,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.wait_for(_ready(port), 60)
        seconds = time.perf_counter() - began
        await asyncio.sleep(REST_SECONDS)
        return Start(seconds, resident(process.pid))
    finally:
        process.terminate()
        await process.wait()


async def _ready(port: int) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.01)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def bytes_per_invoice(url: str, invoices: int) -> float:
    """The SQLite file, or PostgreSQL's tables with their indexes."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        assert parsed.database is not None
        return Path(parsed.database).stat().st_size / invoices
    engine = sa.create_engine(url)
    total = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    with engine.connect() as connection:
        size = float(connection.execute(sa.text(total)).scalar_one())
    engine.dispose()
    return size / invoices


async def requests_a_poll(url: str, server: StripeServer) -> int:
    """Paylink's, however many links wait."""
    async with paylink(url, server) as bot:
        since = len(await server.requests())
        await bot.watching.poll_if_due()
        return len((await server.requests())[since:])


async def obvious_poll(url: str, server: StripeServer, waiting: int) -> float:
    """Seconds of one poll over ``waiting`` links: one request each."""
    engine = sa.create_engine(url)
    client = stripe.StripeClient(server.api_key, base_addresses={"api": server.api_url})
    began = time.perf_counter()
    asked = await asyncio.to_thread(
        obvious_bot.poll, engine, client, WebClient(token="xoxb-bench"), "C0PAYMENTS", waiting
    )
    engine.dispose()
    assert asked == waiting, asked
    return time.perf_counter() - began
