"""The local Stripe as one object: an HTTP server on loopback, and in Python what happens at Stripe's or a buyer's end."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.local.stripe import payments, saved, shapes
from bot.local.stripe.act import AccountRules, Act
from bot.local.stripe.api import Api, RequestRecord
from bot.local.stripe.buyer import BuyerPages
from bot.local.stripe.control import Control
from bot.local.stripe.errors import ApiError
from bot.local.stripe.events import EventLog, EventRules
from bot.local.stripe.faults import Faults
from bot.local.stripe.keys import ApiKey
from bot.local.stripe.rate import RateCounter, RateLimits
from bot.local.stripe.webhooks import WebhookRules, Webhooks, new_secret
from bot.local.stripe.world import World

Json = dict[str, Any]
DEFAULT_KEY = "sk_test_paylinkLocalStripe0001"
DEFAULT_ACCOUNT = "acct_1PaylinkLocal"
SAVE_AFTER = 0.3
"""Seconds from a change to its writing, so that a bulk run is written a few times and not for each link."""


class LocalStripe:
    """Stripe's API at `api_url`, buyers' payment pages below `public_url`, control over HTTP below `/_local/`.

    Test and live data are separate worlds, and so are accounts: a request's key decides which one it meets. Methods that
    take an id find its world by themselves; the others act for `livemode=False` and the first account unless told
    otherwise. All return copies of Stripe's JSON objects.

    clock: seconds since the epoch; `advance` adds to it. port 0: any free one (the one kept in `data`, if free).
    data: a file that keeps the worlds between runs, written atomically after changes and at `stop`.
    Open to change while it runs: `faults`, `rules`, `limits`, `event_rules`, `webhook_rules`.
    """

    def __init__(
        self,
        *,
        api_key: str = DEFAULT_KEY,
        account: str = DEFAULT_ACCOUNT,
        keys: Sequence[ApiKey] = (),
        clock: Callable[[], float] = time.time,
        host: str = "127.0.0.1",
        port: int = 0,
        data: Path | None = None,
        merchant: str = "Paylink Local Merchant",
        limits: RateLimits | None = None,
        seed: int = 0,
    ) -> None:
        self.api_key = api_key
        self.account = account
        self.host = host
        self.port = port
        self.faults = Faults(seed)
        self.rules = AccountRules(merchant=merchant)
        self.limits = limits or RateLimits()
        self.event_rules = EventRules()
        self._random = random.Random(seed)  # noqa: S311 - repeatability, not secrecy
        self._webhooks = Webhooks(self.now, self._random)
        self.webhook_rules: WebhookRules = self._webhooks.rules
        self._keys = {key.secret: key for key in (ApiKey(api_key, account), *keys)}
        self._clock, self._ahead = clock, 0.0
        self._worlds: dict[tuple[str, bool], World] = {}
        self._rates: dict[tuple[str, bool], RateCounter] = {}
        self._requests: list[RequestRecord] = []
        self._data, self._saving = data, None if data is None else asyncio.Event()
        self._saver: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None
        self._moved = asyncio.Event()

    # -- running ----------------------------------------------------------------------------------------------------

    async def start(self) -> Self:
        """Begins to listen; afterwards `port`, `api_url` and `public_url` hold. Reads `data` if it exists."""
        content = None if self._data is None else saved.read(self._data)
        app = web.Application(client_max_size=1 << 20)
        Api(self, self._record).add_routes(app)
        BuyerPages(self).add_routes(app)
        Control(self).add_routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await self._listen(self.port or (content or {}).get("port", 0), anywhere=self.port == 0)
        if content is not None:
            self._load(content)
        if self._saving is not None:
            self._saver = asyncio.create_task(self._save_when_changed(self._saving))
        return self

    async def _listen(self, port: int, *, anywhere: bool) -> None:
        if self._runner is None:
            raise RuntimeError("not started")
        try:
            await web.TCPSite(self._runner, self.host, port).start()
        except OSError:
            if not anywhere:
                raise
            await web.TCPSite(self._runner, self.host, 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stops listening, ends webhook deliveries, writes `data`. May be called twice."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self._webhooks.close()
        if self._saver is not None and self._data is not None:
            self._saver.cancel()
            await asyncio.gather(self._saver, return_exceptions=True)
            self._saver = None
            saved.write(self._data, self._as_json())

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.stop()

    @property
    def api_url(self) -> str:
        """For STRIPE_API_URL, and StripeClient's base_addresses={"api": ...}."""
        return f"http://{self.host}:{self.port}"

    @property
    def public_url(self) -> str:
        """Where buyers go: the links' `url`s begin with it."""
        return self.api_url

    def changed(self) -> None:
        """Something is to be written to `data` soon."""
        self._moved.set()
        if self._saving is not None:
            self._saving.set()

    async def until(self, condition: Callable[[], bool], *, timeout: float = 10.0) -> None:
        """Returns once the condition holds; it is looked at after each request and change. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while not condition():
                self._moved.clear()
                await self._moved.wait()

    async def _save_when_changed(self, changed: asyncio.Event) -> None:
        while self._data is not None:
            await changed.wait()
            await asyncio.sleep(SAVE_AFTER)
            changed.clear()
            saved.write(self._data, self._as_json())

    def _as_json(self) -> Json:
        worlds = [world.as_json() for world in self._worlds.values()]
        keys = [key.as_json() for key in self._keys.values()]
        return {"port": self.port, "ahead": self._ahead, "worlds": worlds, "keys": keys}

    def _load(self, content: Json) -> None:
        self._ahead = content["ahead"]
        for key in content["keys"]:
            self._keys.setdefault(key["secret"], ApiKey(**key))
        for world in content["worlds"]:
            self._world(world["account"], world["livemode"]).load(world, public_url=self.public_url)

    # -- time, keys, rates ------------------------------------------------------------------------------------------

    def now(self) -> int:
        """Stripe's time, in whole seconds since the epoch."""
        return int(self._clock() + self._ahead)

    def advance(self, seconds: float) -> None:
        """Moves Stripe's time ahead; what falls due (sessions, idempotency keys, events' 30 days) falls due."""
        self._ahead += seconds
        for account, livemode in list(self._worlds):
            self.act(account, livemode)
        self.changed()

    def add_key(
        self, secret: str, *, permissions: Iterable[str] | None = None, account: str | None = None
    ) -> ApiKey:
        """A further key; with `permissions` a restricted one. Its flags (`revoked`, `expired`) and `permissions` may be
        changed at any time and count from the next request."""
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
        return self._rates[place].refusal(endpoint, at)

    # -- what Stripe holds ------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request to the API that came, in order."""
        return list(self._requests)

    def _record(self, request: RequestRecord) -> None:
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
        items = world.events.all() if kind == "event" else list(world.shelves[kind])
        return [_copy(item) for item in items]

    def find(self, object_id: str) -> Json:
        """One object by its id, whichever world it is in; raises KeyError."""
        item = self.act_for(object_id).world.find(object_id)
        return _copy(item or {})

    def _world(self, account: str, livemode: bool) -> World:
        place = (account, livemode)
        if place not in self._worlds:
            log = EventLog(livemode, self.event_rules, self._random)
            log.announce = lambda event: self._send(place, event)
            self._worlds[place] = World(account, livemode, log)
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

    # -- what buyers and banks do -----------------------------------------------------------------------------------

    async def open_session(
        self, link: str, *, email: str | None = None, client_reference_id: str | None = None
    ) -> Json:
        """A buyer opens a link (its id or URL): a Checkout Session that is open for 24 hours.
        Raises payments.LinkInactive if the page would show the inactive message instead."""
        link_id = self.link_id(link.partition("?")[0].rpartition("/")[2]) or link
        act = self.act_for(link_id)
        item = act.get("payment_link", link_id, param="payment_link")
        return self._done(payments.open_session(act, item, email=email, reference=client_reference_id))

    async def pay(
        self,
        session: str,
        *,
        email: str = "buyer@example.com",
        name: str | None = None,
        amount: int | None = None,
        currency: str | None = None,
        unpaid: bool = False,
        presentment: tuple[int, str] | None = None,
    ) -> Json:
        """The buyer pays an open session (or a link, by id or URL, which opens one first); returns the session.
        `amount`, `currency`: something else than the link asks. `unpaid`: complete but not paid, as with a delayed
        payment method (see `settle`). `presentment`: what the buyer saw under Adaptive Pricing.
        Raises payments.SessionClosed or LinkInactive as the page would refuse."""
        if not session.startswith("cs_"):
            session = (await self.open_session(session))["id"]
        act, item = self._session(session)
        paid = payments.pay(
            act,
            item,
            email=email,
            name=name,
            amount=amount,
            currency=currency,
            unpaid=unpaid,
            presentment=presentment,
        )
        return self._done(paid)

    async def decline(self, session: str, *, code: str = "generic_decline") -> Json:
        """The bank declines: the session stays open."""
        act, item = self._session(session)
        return self._done(payments.decline(act, item, code=code))

    async def settle(self, session: str, *, succeeded: bool = True) -> Json:
        """Ends a delayed payment: checkout.session.async_payment_succeeded or _failed."""
        act, item = self._session(session)
        return self._done(payments.settle(act, item, succeeded=succeeded))

    async def expire(self, session: str) -> Json:
        """The open session expires now."""
        act, item = self._session(session)
        return self._done(payments.expire(act, item))

    async def refund(self, payment: str, *, amount: int | None = None) -> Json:
        """Refunds a charge or payment intent (or the payment of a session), wholly or in part; returns the refund."""
        act = self.act_for(payment)
        return self._done(payments.refund(act, payments.charge_of(act, payment), amount=amount))

    async def dispute(self, payment: str, *, amount: int | None = None, reason: str = "fraudulent") -> Json:
        """The buyer's bank disputes a payment; returns the dispute."""
        act = self.act_for(payment)
        return self._done(
            payments.dispute(act, payments.charge_of(act, payment), amount=amount, reason=reason)
        )

    async def close_dispute(self, dispute: str, *, status: str = "lost") -> Json:
        """The dispute ends ("won", "lost", "warning_closed")."""
        act = self.act_for(dispute)
        return self._done(
            payments.close_dispute(act, act.get("dispute", dispute, param="dispute"), status=status)
        )

    def _session(self, session_id: str) -> tuple[Act, Json]:
        act = self.act_for(session_id)
        return act, act.get("checkout.session", session_id, param="session")

    def _done(self, item: Json) -> Json:
        self.changed()
        return _copy(item)

    # -- webhooks ---------------------------------------------------------------------------------------------------

    def add_webhook(
        self,
        url: str,
        *,
        secrets: Sequence[str] = (),
        enabled_events: Sequence[str] = ("*",),
        livemode: bool = False,
    ) -> Json:
        """An endpoint that gets signed events; with several secrets each delivery carries a signature of each, as
        while a secret rolls. The returned object's `secret` is the first one (made up if none is given)."""
        act = self.act(self.account, livemode)
        item = shapes.webhook_endpoint(
            url=url, enabled_events=list(enabled_events), given={}, created=act.created, livemode=livemode
        )
        act.world.secrets[item["id"]] = list(secrets) or [new_secret()]
        act.world.add(item)
        return self._done(item) | {"secret": act.world.secrets[item["id"]][0]}

    def roll_secret(self, endpoint: str, *, new: str | None = None, keep_old: bool = True) -> str:
        """A new signing secret first; the old one signs too until it is rolled out with `keep_old=False`."""
        signing = self.act_for(endpoint).world.secrets[endpoint]
        signing[:] = [new or new_secret(), *(signing[:1] if keep_old else ())]
        self.changed()
        return signing[0]

    async def webhooks_settled(self) -> None:
        """Returns when no delivery is under way or waiting for its retry."""
        await self._webhooks.settled()

    @property
    def webhooks(self) -> Webhooks:
        """Its `attempts` lists every delivery attempt with its answer."""
        return self._webhooks

    def resend(self, event_id: str) -> None:
        """Delivers a past event again, as the Dashboard's Resend does."""
        for place, world in self._worlds.items():
            for event in world.events.all():
                if event["id"] == event_id:
                    self._send(place, event)

    def _send(self, place: tuple[str, bool], event: Json) -> None:
        account, livemode = place
        modes = (livemode, True) if self.webhook_rules.also_other_mode and not livemode else (livemode,)
        for mode in modes:
            world = self._world(account, mode)
            for endpoint in world.shelves["webhook_endpoint"]:
                wanted = endpoint["enabled_events"]
                if endpoint["status"] == "enabled" and ("*" in wanted or event["type"] in wanted):
                    self._webhooks.send(event, endpoint, world.secrets[endpoint["id"]])


def _copy(item: Json) -> Json:
    copy: Json = json.loads(json.dumps(item))
    return copy
