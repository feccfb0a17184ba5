"""The local Stripe as one object: an HTTP server on loopback, and in Python what happens at Stripe's or a buyer's end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from sandbox.stopping import clean_up
from sandbox.stripe import saved
from sandbox.stripe.act import Act
from sandbox.stripe.api.keys import ApiKey
from sandbox.stripe.api.rate import RateLimits
from sandbox.stripe.api.serving import Api
from sandbox.stripe.control import Control
from sandbox.stripe.dashboard import Dashboard
from sandbox.stripe.objects import payments
from sandbox.stripe.pages.buyer import BuyerPages
from sandbox.stripe.pages.dashboard import DashboardPages
from sandbox.stripe.worlds import DEFAULT_ACCOUNT, DEFAULT_KEY

Json = dict[str, Any]
SAVE_AFTER = 0.3
"""Seconds from a change to its writing, so that a bulk run is written a few times and not for each link."""


class LocalStripe(Dashboard):
    """Stripe's API at `api_url`, buyers' payment pages below `public_url`, the merchant's at `/dashboard`, control over HTTP below `/_local/`.

    Test and live data are separate worlds, and so are accounts: a request's key decides which one it meets. Methods that
    take an id find its world by themselves; the others act for `livemode=False` and the first account unless told
    otherwise. All return copies of Stripe's JSON objects.

    clock: seconds since the epoch; `advance` adds to it. port 0: any free one (the one kept in `data`, if free).
    data: a file that keeps the worlds between runs, written atomically after changes and at `stop`.
    Open to change while it runs: `faults`, `late`, and the fields of `rules`, `limits`, `event_rules`, `webhook_rules`.
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
        super().__init__(
            api_key=api_key,
            account=account,
            keys=keys,
            clock=clock,
            merchant=merchant,
            limits=limits,
            seed=seed,
        )
        self.host = host
        self.port = port
        self._data = data
        self._saver: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None

    # -- running ----------------------------------------------------------------------------------------------------

    async def start(self) -> Self:
        """Begins to listen; afterwards `port`, `api_url` and `public_url` hold. Reads `data` if it exists."""
        content = None if self._data is None else saved.read(self._data)
        app = web.Application(client_max_size=1 << 20)
        Api(self, self.record_request).add_routes(app)
        self.add_pages(app)
        Control(self).add_routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await self._listen(self.port or (content or {}).get("port", 0), anywhere=self.port == 0)
        self.public_url = self.api_url
        if content is not None:
            self.load(content)
        if self._data is not None:
            self._saver = asyncio.create_task(self._save_when_changed(self._data))
        return self

    def add_pages(self, app: web.Application) -> None:
        """Serves buyers' pages and the merchant's from another server, too: set `public_url` to its address."""
        BuyerPages(self).add_routes(app)
        DashboardPages(self).add_routes(app)

    def add_dashboard(self, app: web.Application, *, account: str, below: str) -> None:
        """Serves another account's dashboard from an application that is itself served below that path."""
        DashboardPages(self, account=account, below=below).add_routes(app)

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
            await clean_up(self._runner)
            self._runner = None
        await self.webhooks.close()
        if self._saver is not None and self._data is not None:
            self._saver.cancel()
            await asyncio.gather(self._saver, return_exceptions=True)
            self._saver = None
            self._save(self._data)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.stop()

    @property
    def api_url(self) -> str:
        """For STRIPE_API_URL, and StripeClient's base_addresses={"api": ...}."""
        return f"http://{self.host}:{self.port}"

    async def _save_when_changed(self, data: Path) -> None:
        while True:
            await self._unsaved.wait()
            await asyncio.sleep(SAVE_AFTER)
            self._unsaved.clear()
            self._save(data)

    def _save(self, data: Path) -> None:
        saved.write(data, self.as_json() | {"port": self.port})

    # -- what buyers do -----------------------------------------------------------------------------------

    async def open_session(
        self, link: str, *, email: str | None = None, client_reference_id: str | None = None
    ) -> Json:
        """A buyer opens a link (its id or URL): a Checkout Session that is open for 24 hours.
        Raises payments.LinkInactive if the page would show the inactive message instead."""
        act, link_id = self.link(link)
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

    def _session(self, session_id: str) -> tuple[Act, Json]:
        act = self.act_for(session_id)
        return act, act.get("checkout.session", session_id, param="session")
