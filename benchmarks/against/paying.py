"""From a payment at the local Stripe to its message at Slack, through the webhook: Paylink beside the obvious bot.

Both are processes of their own, told by the same Stripe, which tells of each payment at once. Payments are more than a second
apart, so that no message waits for the channel's turn.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks import links
from benchmarks.data import CHANNEL
from benchmarks.footprint import _free_port, _ready
from benchmarks.services import ANNA, SlackServer, StripeServer, paylink

TOLD = 15
APART = 1.3
SECRET = "whsec_bench"
# Of what a payment makes, what either bot has a use for.
TYPES = ["checkout.session.completed", "checkout.session.async_payment_succeeded"]


async def measure_paylink(url: str, server: StripeServer, slack: SlackServer) -> list[float]:
    """Seconds from each payment to its message."""
    made = await _make_links(url, server)
    settings = {
        "DATABASE_URL": url,
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_SIGNING_SECRET": "bench",
        "SLACK_API_URL": slack.api_url,
        "STRIPE_API_KEY": server.api_key,
        "STRIPE_API_URL": server.api_url,
        "STRIPE_WEBHOOK_SECRET": SECRET,
    }
    async with _running(("-m", "bot", "serve"), settings) as port:
        # What a start looks at by itself is over by then.
        await asyncio.sleep(3)
        return await _pay(made, server, slack, f"http://127.0.0.1:{port}/stripe/webhook")


async def measure_obvious(url: str, server: StripeServer, slack: SlackServer) -> list[float]:
    made = await asyncio.to_thread(_make_obvious_links, url, server)
    given = (url, server.api_url, server.api_key, slack.api_url, CHANNEL, SECRET)
    async with _running(("-m", "benchmarks.obvious_webhook", *given), {}) as port:
        return await _pay(made, server, slack, f"http://127.0.0.1:{port}/stripe/webhook")


@contextlib.asynccontextmanager
async def _running(arguments: tuple[str, ...], settings: dict[str, str]) -> AsyncIterator[int]:
    """A bot that is ready, and its port."""
    port = _free_port()
    always = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PORT": str(port)}
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=Path.cwd(), env=always | settings, stdout=quiet, stderr=quiet
    )
    try:
        await asyncio.wait_for(_ready(port), 60)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _make_links(url: str, server: StripeServer) -> list[str]:
    async with paylink(url, server) as bot:
        await bot.creation.run_due()
        run = await links.start(bot, await links.select(bot))
        while not (made := await bot.desk.get_result(ANNA, run.id)).final:
            await bot.creation.run_due()
    return [item.url for item in made.items if item.url is not None][:TOLD]


def _make_obvious_links(url: str, server: StripeServer) -> list[str]:
    import stripe

    from benchmarks import obvious_bot

    engine = sa.create_engine(url)
    client = stripe.StripeClient(server.api_key, base_addresses={"api": server.api_url})
    try:
        with engine.connect() as connection:
            bills = obvious_bot.list_unlinked(connection)[:TOLD]
        made = []
        for bill in bills:
            # Stripe refuses what comes too fast, and the obvious bot doesn't try again.
            time.sleep(2 / links.LIMIT)
            made.append(obvious_bot.create_link(engine, client, bill))
        return made
    finally:
        engine.dispose()


async def _pay(made: list[str], server: StripeServer, slack: SlackServer, endpoint: str) -> list[float]:
    await server.tell("webhooks", url=endpoint, secrets=[SECRET], enabled_events=TYPES)
    await slack.calls()
    took = []
    for link in made:
        await asyncio.sleep(APART)
        began = time.monotonic()
        answer: Any = await server.tell("pay", target=link)
        assert "error" not in answer, answer
        took.append(await _told(slack) - began)
    return took


async def _told(slack: SlackServer) -> float:
    """When the message came. Asked for seldom: Slack's process has nothing else to do meanwhile."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        for method, to, at in await slack.calls():
            if (method, to) == ("chat.postMessage", CHANNEL):
                return at
    raise AssertionError("no message came")
