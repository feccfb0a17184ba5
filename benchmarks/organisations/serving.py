"""`paylink serve` as a process of its own, and what people and Stripe send it."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

from benchmarks.data import number
from benchmarks.footprint import _free_port, _ready
from benchmarks.measuring import Times
from benchmarks.organisations.filling import waiting_link
from benchmarks.organisations.stubs import SECRET, Stubs, paid_session, team, webhook_secret
from benchmarks.services import ROOT
from domain.database import Database

COMMANDS, AT_ONCE, ANNOUNCED = 400, 4, 20
# Seconds, for what must come at last.
PATIENCE = 300


@dataclass(frozen=True)
class Running:
    pid: int
    port: int
    start: float
    """Seconds to ready."""


@contextlib.asynccontextmanager
async def serving(url: str, keys: str, both: Stubs) -> AsyncIterator[Running]:
    """`paylink serve`, ready."""
    port = _free_port()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "DATABASE_URL": url,
        "PAYLINK_SECRET_KEYS": keys,
        "PAYLINK_PUBLIC_URL": "http://localhost",
        "SLACK_CLIENT_ID": "1.1",
        "SLACK_CLIENT_SECRET": SECRET,
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_API_URL": f"{both.url}/api",
        "STRIPE_API_URL": both.url,
        "PORT": str(port),
    }
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "serve", cwd=ROOT, env=env, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await asyncio.wait_for(_ready(port), PATIENCE)
        yield Running(process.pid, port, time.perf_counter() - began)
    finally:
        process.terminate()
        await process.wait()


async def press(
    session: aiohttp.ClientSession, both: Stubs, port: int, of: Sequence[int], invoices: int, begin: int = 0
) -> Times:
    """/invoice by people of any of these organisations, a few at a time; until the modal reaches Slack."""
    chance = random.Random(1)
    sent: dict[str, float] = {}
    left = iter(range(begin, begin + COMMANDS))

    async def person() -> None:
        for n in left:
            trigger = f"trigger-{n}"
            body = urlencode(
                {
                    "command": "/invoice",
                    "text": number(chance.randrange(invoices)),
                    "trigger_id": trigger,
                    "team_id": team(chance.choice(of)),
                    "user_id": "U0ANNA",
                    "channel_id": "C0",
                    "api_app_id": "A0",
                    "token": "x",
                }
            ).encode()
            at = str(int(time.time()))
            mac = hmac.new(SECRET.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
            headers = {
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Slack-Request-Timestamp": at,
                "X-Slack-Signature": f"v0={mac}",
            }
            sent[trigger] = time.monotonic()
            async with session.post(f"http://127.0.0.1:{port}/slack/events", data=body, headers=headers) as _:
                pass
            await asyncio.sleep(0.02)

    await asyncio.gather(*(person() for _ in range(AT_ONCE)))
    await _come(both, sent)
    return Times(tuple(both.at[trigger] - at for trigger, at in sent.items()))


async def _come(both: Stubs, what: Collection[str]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not set(what) <= set(both.at):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def pay(
    session: aiohttp.ClientSession, db: Database, both: Stubs, port: int, of: Sequence[int]
) -> Times:
    """From Stripe's delivery to an organisation's webhook to the message that reaches Slack, for several at once."""
    chosen = random.Random(2).sample(of, min(ANNOUNCED, len(of)))
    sessions = {index: await db.read(waiting_link, index) for index in chosen}
    both.at.clear()
    began = {}
    for index, session_id in sessions.items():
        began[f"C{index:08d}"] = time.monotonic()
        await deliver(session, port, index, f"evt_{session_id}", session_id)
    await _come(both, began)
    return Times(tuple(both.at[channel] - at for channel, at in began.items()))


async def deliver(
    session: aiohttp.ClientSession, port: int, index: int, event_id: str, session_id: str
) -> None:
    """As Stripe does."""
    event = {
        "id": event_id,
        "object": "event",
        "type": "checkout.session.completed",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": paid_session(session_id)},
    }
    body, at = json.dumps(event).encode(), int(time.time())
    mac = hmac.new(webhook_secret(index).encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "Stripe-Signature": f"t={at},v1={mac}"}
    url = f"http://127.0.0.1:{port}/stripe/webhook/{team(index)}"
    async with session.post(url, data=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
