"""How the local services fail during a campaign: about one request in seven, before the effect and after it."""

import asyncio
import random
from typing import Any

from tests.faults.processes import Ground
from tests.faults.slowness import Slowness

OUTAGE_EVERY = 20.0
OUTAGE_SECONDS = 2.5

_CREATE = {"method": "POST", "path": "/v1/payment_links", "times": None}
_READ = {"method": "GET", "path": "/v1/*", "times": None}

STRIPE_TROUBLES: list[dict[str, Any]] = [
    {"kind": "lost", "probability": 0.03, **_CREATE},
    {"kind": "done_error", "probability": 0.02, **_CREATE},
    {"kind": "kept_error", "probability": 0.02, **_CREATE},
    {"kind": "truncated", "probability": 0.01, **_CREATE},
    {"kind": "late", "probability": 0.01, "seconds": 1.3, **_CREATE},
    {"kind": "slow", "probability": 0.01, "seconds": 1.3, **_CREATE},
    {"kind": "error", "probability": 0.02, "status": 503, **_CREATE},
    {"kind": "drop", "probability": 0.01, **_CREATE},
    {"kind": "rate_limit", "probability": 0.01, **_CREATE},
    {"kind": "lock_timeout", "probability": 0.01, **_CREATE},
    {"kind": "drop", "probability": 0.04, **_READ},
    {"kind": "error", "probability": 0.04, "status": 502, **_READ},
    {"kind": "garbled", "probability": 0.02, "status": 502, **_READ},
]

_POST = {"method": "chat.postMessage", "times": None}
SLACK_TROUBLES: list[dict[str, Any]] = [
    # Posted, and nobody is told.
    {"when": "after", "do": "drop", "probability": 0.05, **_POST},
    {"when": "after", "do": "status", "status": 500, "probability": 0.03, **_POST},
    {"when": "after", "do": "slow", "seconds": 1.3, "probability": 0.02, **_POST},
    # Not posted, or not at once.
    {"when": "before", "do": "slow", "seconds": 1.3, "probability": 0.01, **_POST},
    {"when": "before", "do": "drop", "probability": 0.02, **_POST},
    {"when": "before", "do": "status", "status": 503, "probability": 0.02, **_POST},
    {"when": "before", "do": "status", "status": 429, "seconds": 1, "probability": 0.01, **_POST},
    {"when": "before", "do": "error", "error": "fatal_error", "probability": 0.01, **_POST},
    {"method": "conversations.history", "do": "status", "status": 503, "probability": 0.1, "times": None},
    {"method": "views.*", "do": "drop", "probability": 0.03, "times": None},
    {"method": "deliver.*", "do": "twice", "probability": 0.1, "times": None},
    {"method": "deliver.interactive", "do": "drop", "probability": 0.03, "times": None},
]


class Weather:
    """Keeps the troubles in force, and lets Slack or Stripe be away altogether now and then."""

    def __init__(
        self, ground: Ground, rng: random.Random, slowness: Slowness, answers_lost: float | None = None
    ) -> None:
        """``answers_lost``: the share of links that are made without anybody being told, if another one."""
        self._slowness = slowness
        self._lost = {} if answers_lost is None else {"probability": answers_lost}
        self._ground = ground
        self._random = rng
        self.struck = 0
        """Requests that failed on purpose, those of outages left out."""
        self.outages = 0

    async def begin(self) -> None:
        for trouble in STRIPE_TROUBLES:
            lost = self._lost if trouble["kind"] == "lost" else {}
            await self._ground.stripe.post("faults", self._stretched(trouble | lost))
        for trouble in SLACK_TROUBLES:
            await self._ground.slack.post("faults", self._stretched(trouble))

    def _stretched(self, trouble: dict[str, Any]) -> dict[str, Any]:
        """What comes late comes as much later than a request is waited for."""
        seconds = trouble.get("seconds")
        return trouble if seconds is None else trouble | {"seconds": seconds * self._slowness.factor}

    async def end(self) -> None:
        """Count what struck, and clear it all."""
        stripe = await self._ground.stripe.get("faults")
        slack = (await self._ground.slack.get("state"))["faults"]
        self.struck += sum(int(fault["fired"]) for fault in stripe if fault["path"] != "*")
        self.struck += sum(int(fault["struck"]) for fault in slack)
        await self._ground.stripe.delete("faults")
        await self._ground.slack.delete("faults")

    async def change_until(self, done: asyncio.Event) -> None:
        while not await comes(done, self._random.uniform(0.5, 1.5) * OUTAGE_EVERY):
            self.outages += 1
            await self.end()
            if self._random.random() < 0.5:
                await self._ground.stripe.post("outage", {})
            else:
                await self._ground.slack.post("outage", {"on": True})
            await comes(done, OUTAGE_SECONDS * self._slowness.factor)
            await self.end()
            await self.begin()


async def comes(event: asyncio.Event, within: float) -> bool:
    """Whether the event is set, or gets set within so many seconds."""
    try:
        await asyncio.wait_for(event.wait(), within)
    except TimeoutError:
        return False
    return True
