"""The local Stripe as one object: an HTTP server on loopback, and in Python what happens at Stripe's or a buyer's end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.local.stripe.faults import Faults
from bot.local.stripe.keys import ApiKey

Json = dict[str, Any]
DEFAULT_KEY = "sk_test_paylinkLocalStripe0001"
DEFAULT_ACCOUNT = "acct_1PaylinkLocal"


class LocalStripe:
    """Stripe's API at `api_url`, buyers' payment pages below `public_url`, control over HTTP below `/_local/`.

    Test and live data are separate worlds, and so are accounts: a request's key decides which one it meets.
    The methods below act in the world of `livemode=False` and the first account unless told otherwise; where they take
    an id, the id finds its world by itself. They return copies of Stripe's JSON objects.

    clock: seconds since the epoch; `advance` adds to it. port 0: any free one (the one kept in `data`, if free).
    data: a file that keeps the world between runs, written atomically after changes and at `stop`.
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
        seed: int = 0,
    ) -> None:
        self.api_key = api_key
        self.account = account
        self.host = host
        self.port = port
        self.faults = Faults(seed)
        self._clock = clock
        self._ahead = 0.0
        self._data = data
        self._runner: web.AppRunner | None = None

    # -- running ----------------------------------------------------------------------------------------------------

    async def start(self) -> Self:
        """Begins to listen; afterwards `port`, `api_url` and `public_url` hold."""
        app = web.Application()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        """Stops listening, ends webhook deliveries, writes `data`. May be called twice."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

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

    # -- time and keys ----------------------------------------------------------------------------------------------

    def now(self) -> int:
        """Stripe's time, in whole seconds since the epoch."""
        return int(self._clock() + self._ahead)

    def advance(self, seconds: float) -> None:
        """Moves Stripe's time ahead; what falls due (sessions, idempotency keys, events' 30 days) falls due."""
        self._ahead += seconds

    def add_key(
        self, secret: str, *, permissions: Iterable[str] | None = None, account: str | None = None
    ) -> ApiKey:
        """A further key; with `permissions` a restricted one. Its flags (`revoked`, `expired`) and `permissions` may be
        changed at any time and count from the next request."""
        raise NotImplementedError

    def key(self, secret: str) -> ApiKey:
        raise NotImplementedError

    # -- what Stripe holds ------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[Any]:
        """Every request that came, in order: RequestRecord(at (monotonic), created, method, path, params,
        idempotency_key, livemode, status, replayed, fault, request_id)."""
        raise NotImplementedError

    def peak_rate(self, *, method: str = "*", path: str = "/v1/*", window: float = 1.0) -> int:
        """The most matching requests that came within `window` seconds."""
        raise NotImplementedError

    def links(self, *, livemode: bool = False) -> list[Json]:
        """All payment links, oldest first."""
        raise NotImplementedError

    def objects(self, kind: str, *, livemode: bool = False) -> list[Json]:
        """All objects of a kind ("payment_link", "checkout.session", "payment_intent", "charge", "refund", "dispute",
        "event", "product", "price", "webhook_endpoint"), oldest first."""
        raise NotImplementedError

    # -- what buyers and banks do -----------------------------------------------------------------------------------

    async def open_session(
        self, link: str, *, email: str | None = None, client_reference_id: str | None = None
    ) -> Json:
        """A buyer opens a link (its id or URL): a Checkout Session that is open for 24 hours.
        Raises LinkInactive if the page would show the inactive message instead."""
        raise NotImplementedError

    async def pay(
        self,
        session: str,
        *,
        email: str = "buyer@example.com",
        amount: int | None = None,
        currency: str | None = None,
        unpaid: bool = False,
        presentment: tuple[int, str] | None = None,
        livemode: bool | None = None,
    ) -> Json:
        """The buyer pays an open session (or a link, by id or URL, which opens one first); returns the session.
        `amount`, `currency`: charge something else than the link asks. `unpaid`: complete but not paid, as with a
        delayed payment method (see `settle`). `presentment`: what the buyer saw under Adaptive Pricing."""
        raise NotImplementedError

    async def decline(self, session: str, *, code: str = "generic_decline") -> Json:
        """The bank declines: the session stays open."""
        raise NotImplementedError

    async def settle(self, session: str, *, succeeded: bool = True) -> Json:
        """Ends a delayed payment: checkout.session.async_payment_succeeded or _failed."""
        raise NotImplementedError

    async def expire(self, session: str) -> Json:
        """The open session expires now."""
        raise NotImplementedError

    async def refund(self, payment: str, *, amount: int | None = None) -> Json:
        """Refunds a charge or payment intent (or the payment of a session), wholly or in part; returns the refund."""
        raise NotImplementedError

    async def dispute(self, payment: str, *, amount: int | None = None, reason: str = "fraudulent") -> Json:
        """The buyer's bank disputes a payment; returns the dispute."""
        raise NotImplementedError

    async def close_dispute(self, dispute: str, *, status: str = "lost") -> Json:
        """The dispute ends ("won", "lost", "warning_closed")."""
        raise NotImplementedError

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
        raise NotImplementedError

    async def webhooks_settled(self) -> None:
        """Returns when no delivery is under way or waiting for its retry."""
        await asyncio.sleep(0)
