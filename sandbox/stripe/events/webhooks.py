"""Webhook deliveries: signed, repeated until answered 2xx, in no promised order (/webhooks, /webhooks/signature)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import aiohttp

from sandbox.stripe.events.log import Entry, rendered
from sandbox.stripe.events.thin import PREFIX, thin

Json = dict[str, Any]


Write = Callable[[Entry], Json]


def wants(endpoint: Json, kind: str, payload: str) -> bool:
    """Whether the endpoint is told of events of that type."""
    wanted = endpoint["enabled_events"]
    name = PREFIX + kind if payload == "thin" else kind
    return endpoint["status"] == "enabled" and ("*" in wanted or name in wanted)


def snapshot_body(event: Entry, *, version: str | None) -> Json:
    """In the endpoint's API version where it has one, else the account's (/webhooks/versioning)."""
    shown = event.shown()
    if version is not None:
        shown["api_version"] = version
        shown["data"]["object"] = rendered(shown["data"]["object"], version)
    return shown


def new_secret() -> str:
    return f"whsec_{secrets.token_hex(16)}"


def signature(body: str, signing_secrets: Sequence[str], *, at: int) -> str:
    """The Stripe-Signature header: HMAC-SHA256 over `t.body`, one v1 for each secret that is valid while one rolls, and
    in test mode a v0 that clients must ignore (/webhooks/signature#verify-manually)."""
    signed = f"{at}.{body}".encode()
    marks = [
        f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}" for secret in signing_secrets
    ]
    return ",".join([f"t={at}", *marks, f"v0={'0' * 64}"])


@dataclass
class WebhookRules:
    """How deliveries misbehave. `retry_after`: seconds before each further attempt (Stripe's own schedule spans three
    days). `duplicate`: chance that an event is delivered twice. `delay`: seconds before the first attempt, drawn between
    the two, so that events overtake each other. `skew`: seconds added to the signed timestamp.
    `also_other_mode`: test events reach live endpoints too (/connect/webhooks warns of it)."""

    retry_after: Sequence[float] = (0.05, 0.2, 1.0)
    duplicate: float = 0.0
    delay: tuple[float, float] = (0.0, 0.0)
    skew: int = 0
    also_other_mode: bool = False
    timeout: float = 10.0


@dataclass(slots=True)
class Delivery:
    """One attempt; `status` None means that no answer came."""

    event: str
    kind: str
    url: str
    status: int | None


@dataclass
class Webhooks:
    """Sends events to endpoints until one of the attempts is answered 2xx or the schedule ends."""

    now: Callable[[], int]
    random: random.Random
    rules: WebhookRules = field(default_factory=WebhookRules)
    attempts: list[Delivery] = field(default_factory=list)
    _client: aiohttp.ClientSession | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def send(
        self, event: Entry, endpoint: Json, signing_secrets: Sequence[str], *, payload: str = "snapshot"
    ) -> None:
        """Begins to deliver; the event counts as pending until it ends well. `payload`: "snapshot" or "thin"."""
        event.head["pending_webhooks"] += 1
        write: Write = thin if payload == "thin" else partial(snapshot_body, version=endpoint["api_version"])
        for copy in range(2 if self.random.random() < self.rules.duplicate else 1):
            delay = self.random.uniform(*self.rules.delay)
            task = asyncio.ensure_future(
                self._deliver(event, write, endpoint["url"], signing_secrets, delay, counts=copy == 0)
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _deliver(
        self,
        event: Entry,
        write: Write,
        url: str,
        signing_secrets: Sequence[str],
        delay: float,
        *,
        counts: bool,
    ) -> None:
        for wait in (delay, *self.rules.retry_after):
            await asyncio.sleep(wait)
            if await self._attempt(write(event), url, signing_secrets):
                event.head["pending_webhooks"] -= counts
                return

    async def _attempt(self, event: Json, url: str, signing_secrets: Sequence[str]) -> bool:
        if self._client is None:
            self._client = aiohttp.ClientSession()
        body = json.dumps(event, indent=2)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(body, signing_secrets, at=self.now() + self.rules.skew),
        }
        status = None
        try:
            timeout = aiohttp.ClientTimeout(total=self.rules.timeout)
            async with self._client.post(
                url, data=body.encode(), headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            status = None
        self.attempts.append(Delivery(event["id"], event["type"], url, status))
        return status is not None and 200 <= status < 300
