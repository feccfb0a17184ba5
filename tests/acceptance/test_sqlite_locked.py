"""SQLite's write lock in the hands of a process that doesn't go on: what the others do until it does."""

import json
import sqlite3
import time
from contextlib import closing

import aiohttp
import pytest
import sqlalchemy as sa

from bot.work import workers
from sandbox.stripe.events.webhooks import signature
from tests.acceptance.conftest import WEBHOOK_SECRET, World, Worlds
from tests.acceptance.test_serve import create_link


async def receive(world: World, event: object) -> int:
    """The status that Stripe gets for this event."""
    text = json.dumps(event)
    headers = {"Stripe-Signature": signature(text, [WEBHOOK_SECRET], at=int(time.time()))}
    url = f"http://127.0.0.1:{world.service.port}/stripe/webhook"
    async with aiohttp.ClientSession() as session, session.post(url, data=text, headers=headers) as answer:
        return answer.status


async def test_people_get_a_sentence_webhooks_a_503_and_nothing_is_lost(
    sqlite_worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "LONGEST_DELAY", 1.0)
    world = await sqlite_worlds.make("http", PAYLINK_POLL_SECONDS="3600")
    world.add_invoice("INV-1")
    url = await create_link(world, "INV-1")
    world.add_invoice("INV-2")
    await world.workspace.command(world.alice, world.channel, "/invoice INV-2")
    await world.until(lambda: "Create Payment Link" in world.top())
    path = sa.make_url(world.env["DATABASE_URL"]).database
    assert path is not None
    with closing(sqlite3.connect(path, isolation_level=None)) as suspended:
        suspended.execute("BEGIN IMMEDIATE")
        await world.press("Create Payment Link")
        await world.until(lambda: "database doesn't answer right now" in world.top())
        # What only reads goes on.
        await world.workspace.command(world.alice, world.channel, "/invoice INV-1")
        await world.until(lambda: url in world.top())
        await world.stripe.pay(url)
        event = next(e for e in world.stripe.objects("event") if e["type"] == "checkout.session.completed")
        assert await receive(world, event) == 503
        suspended.execute("ROLLBACK")
    # Stripe comes again (for three days).
    assert await receive(world, event) == 200
    await world.until(lambda: world.announced())
    assert len(world.announced()) == 1
    assert len(world.stripe.links()) == 1
