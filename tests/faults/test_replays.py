"""A good request sent again and again has one effect, on both databases."""

import asyncio
import json
import time
from typing import Any

import aiohttp
import sqlalchemy as sa

from domain.models import BulkRun, Link, OutboxMessage, Payment
from sandbox.slack.transport.posts import signature as slack_signature
from sandbox.stripe.events.webhooks import signature as stripe_signature
from tests.acceptance.conftest import WEBHOOK_SECRET, World, Worlds, blank_database_url, worlds
from tests.faults.recording import Recorder, encoded

__all__ = ["blank_database_url", "worlds"]

TIMES = 100


async def replay(world: World, path: str, body: bytes, headers: dict[str, str]) -> list[int]:
    url = f"http://127.0.0.1:{world.service.port}{path}"
    async with aiohttp.ClientSession() as session:

        async def post() -> int:
            async with session.post(url, data=body, headers=headers) as answer:
                return answer.status

        return list(await asyncio.gather(*(post() for _ in range(TIMES))))


def count(world: World, table: Any) -> int:
    return world.db.run(lambda session: session.scalars(sa.select(sa.func.count()).select_from(table)).one())


async def test_an_event_replayed_a_hundred_times_is_one_payment_and_one_message(worlds: Worlds) -> None:
    world = await worlds.make("http")
    world.add_invoice("INV-1")
    await world.workspace.command(world.alice, world.channel, "/invoice INV-1")
    await world.until(lambda: "Create Payment Link" in world.top())
    await world.press("Create Payment Link")
    await world.until(lambda: "Pending Payment" in world.top())
    await world.stripe.pay(world.stripe.links()[0]["url"])
    event = next(e for e in world.stripe.objects("event") if e["type"] == "checkout.session.completed")
    text = json.dumps(event)
    headers = {"Stripe-Signature": stripe_signature(text, [WEBHOOK_SECRET], at=int(time.time()))}

    statuses = await replay(world, "/stripe/webhook", text.encode(), headers)

    assert set(statuses) == {200}
    await world.until(lambda: world.announced())
    assert count(world, Payment) == 1
    assert count(world, OutboxMessage) == 1
    assert len(world.announced()) == 1


async def test_a_create_replayed_a_hundred_times_is_one_run_with_one_link_an_invoice(worlds: Worlds) -> None:
    world = await worlds.make("http")
    for n in range(5):
        world.add_invoice(f"INV-{n}")
    workspace, alice = world.workspace, world.alice
    await workspace.command(alice, world.channel, "/invoices")
    await world.until(lambda: "Select All on This Page" in world.top())
    shown = workspace.top(alice).hash
    await world.press("Select All on This Page")
    await world.until(lambda: workspace.top(alice).hash != shown)
    await world.submit()
    recorder = Recorder.before(workspace)
    await world.submit()
    [(envelope, payload)] = recorder.sent
    body, content_type = encoded(envelope, payload)
    stamp = str(int(time.time()))
    signature = slack_signature(world.slack.signing_secret, stamp, body)
    headers = {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature,
    }

    statuses = await replay(world, "/slack/events", body, headers)

    assert set(statuses) == {200}
    await world.until(lambda: workspace.dms(alice))
    assert count(world, BulkRun) == 1
    assert count(world, Link) == len(world.stripe.links()) == 5
