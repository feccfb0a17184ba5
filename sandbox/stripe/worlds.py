"""What the local Stripe knows: its accounts' worlds, keys, clock and settings. No network but webhooks."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from sandbox.stripe.act import AccountRules, Act
from sandbox.stripe.api.endpoints import PERMISSIONS
from sandbox.stripe.api.keys import ApiKey
from sandbox.stripe.api.rate import RateCounter, RateLimits
from sandbox.stripe.api.serving import RequestRecord
from sandbox.stripe.errors import ApiError
from sandbox.stripe.events.log import Entry, EventLog, EventRules
from sandbox.stripe.events.webhooks import WebhookRules, Webhooks, new_secret, wants
from sandbox.stripe.faults import Faults
from sandbox.stripe.faults.late_reads import LateReads
from sandbox.stripe.objects import payments, shapes
from sandbox.stripe.world import World

Json = dict[str, Any]
DEFAULT_KEY = "sk_test_paylinkLocalStripe0001"
DEFAULT_ACCOUNT = "acct_1PaylinkLocal"


class Worlds:
    """See LocalStripe, which puts it on the network."""

    public_url: str = ""
    """Where buyers go: the links' `url`s begin with it."""

    def __init__(
        self,
        *,
        api_key: str = DEFAULT_KEY,
        account: str = DEFAULT_ACCOUNT,
        keys: Sequence[ApiKey] = (),
        clock: Callable[[], float] = time.time,
        merchant: str = "Paylink Local Merchant",
        limits: RateLimits | None = None,
        seed: int = 0,
    ) -> None:
        self.api_key = api_key
        self.account = account
        self.faults = Faults(seed)
        self.late = LateReads(self._meant)
        self.rules = AccountRules(merchant=merchant)
        self.limits = limits or RateLimits()
        self.event_rules = EventRules()
        self._random = random.Random(seed)  # noqa: S311 - repeatability, not secrecy
        self.webhooks = Webhooks(self.now, self._random)
        """Its `attempts` lists every delivery attempt with its answer."""
        self.webhook_rules: WebhookRules = self.webhooks.rules
        self._keys = {key.secret: key for key in (ApiKey(api_key, account), *keys)}
        self._clock, self._ahead = clock, 0.0
        self._worlds: dict[tuple[str, bool], World] = {}
        self._rates: dict[tuple[str, bool], RateCounter] = {}
        self._requests: list[RequestRecord] = []
        self._moved, self._unsaved = asyncio.Event(), asyncio.Event()

    def changed(self) -> None:
        """Something happened: wakes `until`, and whoever writes the worlds down."""
        self._moved.set()
        self._unsaved.set()

    async def until(self, condition: Callable[[], bool], *, timeout: float = 60.0) -> None:
        """Returns once the condition holds; it is looked at after each request and change. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while not condition():
                self._moved.clear()
                await self._moved.wait()

    # -- time, keys, rates ------------------------------------------------------------------------------------------

    def now(self) -> int:
        """Stripe's time, in whole seconds since the epoch."""
        return int(self._clock() + self._ahead)

    def advance(self, seconds: float) -> None:
        """Moves Stripe's time ahead, or back, so that it differs from everybody's; what falls due (sessions, idempotency keys, events' 30 days) falls due."""
        self._ahead += seconds
        for account, livemode in list(self._worlds):
            self.act(account, livemode)
        self.changed()

    def add_key(
        self,
        secret: str,
        *,
        permissions: Iterable[str] | None = None,
        without: Iterable[str] = (),
        account: str | None = None,
    ) -> ApiKey:
        """A further key, of the first account or another; with `permissions` a restricted one, and with `without` one
        that may do everything that PERMISSIONS names but that. Its flags (`revoked`, `expired`) and `permissions` may be
        changed at any time and count from the next request."""
        if permissions is None and (but := frozenset(without)):
            permissions = PERMISSIONS - but
        allowed = None if permissions is None else frozenset(permissions)
        self._keys[secret] = ApiKey(secret, account or self.account, allowed)
        return self._keys[secret]

    def key(self, secret: str) -> ApiKey:
        """The key of that secret, to change it; raises KeyError."""
        return self._keys[secret]

    def find_key(self, secret: str) -> ApiKey | None:
        return self._keys.get(secret)

    def rate_refusal(self, key: ApiKey, endpoint: str, at: float) -> ApiError | None:
        """Counts a request, or refuses it."""
        place = (key.account, key.livemode)
        if place not in self._rates:
            self._rates[place] = RateCounter(self.limits, key.livemode)
        self._rates[place].limits = self.limits
        return self._rates[place].refusal(endpoint, at)

    # -- what Stripe holds ------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request to the API that came, in order."""
        return list(self._requests)

    def record_request(self, request: RequestRecord) -> None:
        self._requests.append(request)
        self._moved.set()

    def peak_rate(self, *, method: str = "*", path: str = "/v1/*", window: float = 1.0) -> int:
        """The most matching requests that came within any `window` seconds."""
        times = [r.at for r in self._requests if fnmatchcase(r.method, method) and fnmatchcase(r.path, path)]
        first = most = 0
        for last, at in enumerate(times):
            while times[first] <= at - window:
                first += 1
            most = max(most, last - first + 1)
        return most

    def links(self, *, livemode: bool = False) -> list[Json]:
        """All payment links, oldest first."""
        return self.objects("payment_link", livemode=livemode)

    def objects(self, kind: str, *, livemode: bool = False, account: str | None = None) -> list[Json]:
        """All objects of a kind ("payment_link", "checkout.session", "payment_intent", "charge", "refund", "dispute",
        "event", "product", "price", "webhook_endpoint"), oldest first; events also before they are visible."""
        world = self.act(account or self.account, livemode).world
        if kind == "event":
            return [entry.shown() for entry in world.events.all()]
        return [copy_of(item) for item in world.shelves[kind]]

    def find(self, object_id: str) -> Json:
        """One object by its id, whichever world it is in; raises KeyError."""
        item = self.act_for(object_id).world.find(object_id)
        return copy_of(item or {})

    def link(self, link: str) -> tuple[Act, str]:
        """An act in the world of a link, and its id; `link` is that id or the link's URL. Raises KeyError."""
        link_id = self.link_id(link.partition("?")[0].rpartition("/")[2]) or link
        return self.act_for(link_id), link_id

    def _meant(self, what: str) -> Iterator[Json]:
        """The objects of that id or kind, in all worlds."""
        for world in self._worlds.values():
            if what in world.shelves:
                yield from world.shelves[what]
            elif (item := world.find(what)) is not None:
                yield item

    def _world(self, account: str, livemode: bool) -> World:
        place = (account, livemode)
        if place not in self._worlds:
            log = EventLog(livemode, self.event_rules, self._random)
            log.announce = lambda event: self._send(place, event)
            self._worlds[place] = World(account, livemode, log, self.late)
        return self._worlds[place]

    def act(self, account: str, livemode: bool, cause: Json | None = None) -> Act:
        """An act in a world now, after what fell due there by itself."""
        now, world = self._clock() + self._ahead, self._world(account, livemode)
        act = Act(world, self._world(account, not livemode), self.rules, now, self.public_url, cause)
        for session in world.due_sessions(int(now)):
            payments.expire(
                Act(world, act.other_mode, self.rules, session["expires_at"], self.public_url), session
            )
        return act

    def act_for(self, object_id: str) -> Act:
        """An act in the world that holds the object; raises KeyError."""
        for account, livemode in list(self._worlds):
            if self._worlds[account, livemode].find(object_id) is not None:
                return self.act(account, livemode)
        raise KeyError(object_id)

    def link_id(self, code: str) -> str | None:
        """The payment link behind the last part of a link's URL."""
        return next((world.link_ids[code] for world in self._worlds.values() if code in world.link_ids), None)

    # -- webhooks ---------------------------------------------------------------------------------------------------

    def add_webhook(
        self,
        url: str,
        *,
        secrets: Sequence[str] = (),
        enabled_events: Sequence[str] = ("*",),
        livemode: bool = False,
        account: str | None = None,
        payload: str = "snapshot",
        api_version: str | None = None,
    ) -> Json:
        """An endpoint that gets signed events, as snapshots (in `api_version`, or the account's), "thin", or "both"; with several secrets each delivery carries a signature of each, as
        while a secret rolls. The returned object's `secret` is the first one (made up if none is given)."""
        if payload not in ("snapshot", "thin", "both"):
            raise ValueError(f"not a kind of payload: {payload}")
        act, given = self.act(account or self.account, livemode), {"api_version": api_version}
        item = shapes.webhook_endpoint(
            url=url, enabled_events=list(enabled_events), given=given, created=act.created, livemode=livemode
        )
        act.world.payloads[item["id"]] = payload
        act.world.secrets[item["id"]] = list(secrets) or [new_secret()]
        act.world.add(item)
        self.changed()
        return copy_of(item) | {"secret": act.world.secrets[item["id"]][0]}

    def roll_secret(self, endpoint: str, *, new: str | None = None, keep_old: bool = True) -> str:
        """A new signing secret first; the old one signs too until it is rolled out with `keep_old=False`."""
        signing = self.act_for(endpoint).world.secrets[endpoint]
        signing[:] = [new or new_secret(), *(signing[:1] if keep_old else ())]
        self.changed()
        return signing[0]

    async def webhooks_settled(self) -> None:
        """Returns when no delivery is under way or waiting for its retry."""
        await self.webhooks.settled()

    def resend(self, event_id: str) -> None:
        """Delivers a past event again, as the Dashboard's Resend does."""
        for place, world in self._worlds.items():
            if (event := world.events.find(event_id, now=self._clock() + self._ahead)) is not None:
                self._send(place, event)

    def _send(self, place: tuple[str, bool], event: Entry) -> None:
        account, livemode = place
        modes = (livemode, True) if self.webhook_rules.also_other_mode and not livemode else (livemode,)
        for mode in modes:
            world = self._world(account, mode)
            for endpoint in world.shelves["webhook_endpoint"]:
                for payload in world.payloads_of(endpoint["id"]):
                    if wants(endpoint, event.head["type"], payload):
                        signing = world.secrets[endpoint["id"]]
                        self.webhooks.send(event, endpoint, signing, payload=payload)

    # -- between runs -----------------------------------------------------------------------------------------------

    def as_json(self) -> Json:
        worlds = [world.as_json() for world in self._worlds.values()]
        keys = [key.as_json() for key in self._keys.values()]
        return {"ahead": self._ahead, "worlds": worlds, "keys": keys}

    def load(self, content: Json) -> None:
        self._ahead = content["ahead"]
        for key in content["keys"]:
            self._keys.setdefault(key["secret"], ApiKey(**key))
        for world in content["worlds"]:
            self._world(world["account"], world["livemode"]).load(world, public_url=self.public_url)


def copy_of(item: Json) -> Json:
    copy: Json = json.loads(json.dumps(item))
    return copy
