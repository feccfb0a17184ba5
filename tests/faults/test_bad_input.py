"""Thousands of damaged payloads, signed and not, over HTTP and Socket Mode: nothing unhandled, no 5xx, still serving.

PAYLINK_MUTATIONS says how many in all (`make campaign`: 10,000).
"""

import asyncio
import io
import json
import logging
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
import structlog

from bot.watch.logs import configure_logs
from sandbox.slack.transport.posts import signature as slack_signature
from sandbox.stripe.events.webhooks import signature as stripe_signature
from tests.acceptance.conftest import WEBHOOK_SECRET, World, Worlds, sqlite_worlds
from tests.faults.mutations import damage, dumps, mutate
from tests.faults.recording import BUYER, EMAIL, encoded, one_of_each, record_everything

__all__ = ["sqlite_worlds"]

MUTATIONS = int(os.environ.get("PAYLINK_MUTATIONS", "800"))
AT_ONCE = 20


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """What the bot logs at its most talkative."""
    written = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure_logs(written, verbose=True, as_json=True)
    yield written
    root.handlers[:], root.level = before
    structlog.reset_defaults()


class Attack:
    """Sends damaged payloads and counts the answers."""

    def __init__(self, world: World, rng: random.Random, session: aiohttp.ClientSession) -> None:
        self._world = world
        self._random = rng
        self._session = session
        self.answers: Counter[tuple[str, int]] = Counter()

    async def post_to_slack(self, envelope: str, payload: Any) -> None:
        body, content_type = encoded(envelope, mutate(payload, self._random))
        if self._random.random() < 0.1:
            body = damage(body, self._random)
        stamp = str(int(time.time()))
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": slack_signature(self._world.slack.signing_secret, stamp, body),
        }
        signed = self._random.random() < 0.75
        if not signed:
            self._spoil(headers, "X-Slack-Request-Timestamp", "X-Slack-Signature")
        status = await self._post("/slack/events", body, headers)
        assert status in ((200, 400) if signed else (400, 401)), status

    async def post_to_stripe(self, event: Any) -> None:
        text = dumps(mutate(event, self._random))
        headers = {
            "Content-Type": "application/json",
            "Stripe-Signature": stripe_signature(text, [WEBHOOK_SECRET], at=int(time.time())),
        }
        body = text.encode()
        if self._random.random() < 0.3:
            self._spoil(headers, "Stripe-Signature")
            status = await self._post("/stripe/webhook", damage(body, self._random) + b" ", headers)
            assert status == 400, status
        else:
            assert await self._post("/stripe/webhook", body, headers) in (200, 400)

    async def send_over_socket(self, envelope: str, payload: Any) -> None:
        """As an envelope; nobody waits for its acknowledgement."""
        frame = {
            "type": envelope,
            "accepts_response_payload": True,
            "payload": mutate(payload, self._random),
        }
        if self._random.random() < 0.1:
            frame = mutate(frame, self._random)
        # The one field that only Slack reads.
        frame["envelope_id"] = str(uuid4())
        await self._world.slack.connected()
        await self._world.slack.sockets.connections[0].send(frame)
        self.answers["socket", 0] += 1

    async def _post(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        url = f"http://127.0.0.1:{self._world.service.port}{path}"
        async with self._session.post(url, data=io.BytesIO(body), headers=headers) as answer:
            await answer.read()
            self.answers[path, answer.status] += 1
            return answer.status

    def _spoil(self, headers: dict[str, str], *names: str) -> None:
        name = self._random.choice(names)
        how = self._random.randrange(6)
        if how == 0:
            del headers[name]
        else:
            headers[name] = ("", "abc", "v0=ü", "9" * 5_000, "v0=" + "0" * 64)[how - 1]


async def attack(world: World, payloads: list[Any], send: Any, count: int, rng: random.Random) -> None:
    """Each kind of payload in turn, some at once."""
    for begin in range(0, count, AT_ONCE):
        some = [payloads[(begin + n) % len(payloads)] for n in range(min(AT_ONCE, count - begin))]
        await asyncio.gather(*(send(*one) for one in some))
    rng.random()


async def still_serves(world: World) -> None:
    bob = world.workspace.add_person("bob")
    await world.service.bot.tracker.finish(20)
    outcome = await world.workspace.command(bob, world.channel, "/invoice INV-7")
    assert outcome.ok, outcome
    await world.until(lambda: "Billing Invoice Details" in world.top(bob))
    assert (await world.get("/readyz"))[0] == 200


def complaints(logs: io.StringIO) -> list[str]:
    """Lines that say that something wasn't foreseen."""
    lines = [json.loads(line) for line in logs.getvalue().splitlines()]
    return [
        json.dumps(line)[:1500]
        for line in lines
        if line["level"] in ("error", "critical") and not _is_foreseen(line)
    ]


def _is_foreseen(line: dict[str, Any]) -> bool:
    """Bolt couldn't read it, and it was answered nevertheless; or Bolt says that a workspace isn't installed; or one of
    the local services, which log to the same place, doesn't take an address that came out of a payload."""
    if line.get("logger") in ("slack_bolt.AsyncMultiTeamsAuthorization", "aiohttp.server"):
        return True
    read_by = [place.partition(":")[0] for place in line.get("exception", {}).get("at", [])]
    ours = {place for place in read_by if place.startswith(("bot/", "handlers/", "domain/"))}
    return line["event"] == "delivery.failed" and ours <= {"handlers/app.py"}


def assert_nothing_leaks(world: World, logs: io.StringIO) -> None:
    slack = world.slack
    secrets = [
        slack.workspace.bot_token,
        slack.app_token,
        slack.signing_secret,
        world.stripe.api_key,
        WEBHOOK_SECRET,
    ]
    for secret in [*secrets, BUYER, EMAIL]:
        assert secret not in logs.getvalue()


@pytest.mark.timeout(1200)
async def test_damaged_requests_are_refused_or_answered(sqlite_worlds: Worlds, logs: io.StringIO) -> None:
    rng = random.Random(3)
    world = await sqlite_worlds.make("http", PAYLINK_POLL_SECONDS="1")
    kinds = one_of_each(await record_everything(world))
    events = [(event,) for event in world.stripe.objects("event")]
    async with aiohttp.ClientSession() as session:
        attacker = Attack(world, rng, session)
        await attack(world, kinds, attacker.post_to_slack, MUTATIONS // 2, rng)
        await attack(world, events, attacker.post_to_stripe, MUTATIONS // 4, rng)
    assert attacker.answers["/slack/events", 200] > MUTATIONS / 20
    assert attacker.answers["/stripe/webhook", 200] > MUTATIONS / 20
    await still_serves(world)
    assert complaints(logs) == []
    assert_nothing_leaks(world, logs)


@pytest.mark.timeout(1200)
async def test_damaged_envelopes_end_neither_socket_nor_bot(sqlite_worlds: Worlds, logs: io.StringIO) -> None:
    rng = random.Random(4)
    world = await sqlite_worlds.make("socket", PAYLINK_POLL_SECONDS="1")
    kinds = one_of_each(await record_everything(world))
    async with aiohttp.ClientSession() as session:
        attacker = Attack(world, rng, session)
        for begin in range(0, MUTATIONS // 4, AT_ONCE):
            await attack(world, kinds[begin % len(kinds) :] + kinds, attacker.send_over_socket, AT_ONCE, rng)
            with suppress(TimeoutError):
                await asyncio.wait_for(world.service.bot.tracker._idle.wait(), 0.5)
    await still_serves(world)
    assert complaints(logs) == []
    assert_nothing_leaks(world, logs)
