"""A local Stripe of its own for each test, and the official SDK's asynchronous client on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import stripe
from aiohttp import web

from sandbox.stopping import clean_up
from sandbox.stripe.api.rate import RateLimits
from sandbox.stripe.server import LocalStripe
from tests.patience import PATIENCE

Json = dict[str, Any]


class Clock:
    """Stripe's time, which stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def sdk(server: LocalStripe, key: str | None = None) -> AsyncIterator[stripe.StripeClient]:
    """The SDK as Paylink uses it: aiohttp, no retries of its own."""
    http = stripe.AIOHTTPClient(timeout=PATIENCE)
    yield stripe.StripeClient(key or server.api_key, http_client=http, base_addresses={"api": server.api_url})
    await http.close_async()  # type: ignore[no-untyped-call]


@pytest.fixture(name="clock")
def clock_fixture() -> Clock:
    return Clock()


@pytest.fixture(name="server")
async def server_fixture(clock: Clock) -> AsyncIterator[LocalStripe]:
    """Without rate limits, so that only the tests of those meet them."""
    limits = RateLimits(live=None, test=None, endpoint=None)
    async with LocalStripe(clock=clock, limits=limits, seed=7) as running:
        yield running


@pytest.fixture(name="client")
async def client_fixture(server: LocalStripe) -> AsyncIterator[stripe.StripeClient]:
    async with sdk(server) as running:
        yield running


@pytest.fixture(name="http")
async def http_fixture(server: LocalStripe) -> AsyncIterator[aiohttp.ClientSession]:
    """Plain HTTP, for what the SDK would not send, and for the buyer's browser."""
    headers = {"Authorization": f"Bearer {server.api_key}"}
    async with aiohttp.ClientSession(server.api_url, headers=headers) as session:
        yield session


@dataclass
class Receiver:
    """A merchant's endpoint: keeps what it gets and answers with the statuses it is given, then with 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """Until it is set, nothing is answered."""

    async def receive(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.signatures.append(request.headers["Stripe-Signature"])
        await self.open.wait()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for body in self.bodies]

    def ids(self) -> list[str]:
        return [json.loads(body)["id"] for body in self.bodies]


@pytest.fixture(name="receiver")
async def receiver_fixture() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    receiver.open.set()
    app = web.Application()
    app.router.add_post("/stripe/webhook", receiver.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/stripe/webhook"
    yield receiver
    await clean_up(runner)


def link_params(
    number: str = "INV-1001", *, amount: int = 120_050, currency: str = "usd", **more: Any
) -> Any:
    """The request that Paylink sends for an invoice; keywords replace or add parameters."""
    params: Json = {
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": currency,
                    "unit_amount": amount,
                    "product_data": {"name": f"Invoice {number}"},
                },
            }
        ],
        "payment_method_types": ["card"],
        "restrictions": {"completed_sessions": {"limit": 1}},
        "metadata": {"invoice_number": number},
        "payment_intent_data": {"metadata": {"invoice_number": number}},
        "submit_type": "pay",
        "inactive_message": "This invoice was paid.",
    }
    return params | more


async def refusal(call: Callable[[], Any]) -> stripe.StripeError:
    """The error that the SDK raises."""
    with pytest.raises(stripe.StripeError) as caught:
        await call()
    return caught.value


def error_of(error: stripe.StripeError) -> Json:
    """The error object of the answer, as it went over the wire."""
    body = error.json_body
    assert isinstance(body, dict)
    content = body["error"]
    assert isinstance(content, dict)
    return content


def told(server: LocalStripe, word: str) -> list[str]:
    """The types of the events so far that are about refunds, or disputes."""
    return [event["type"] for event in server.objects("event") if word in event["type"]]


async def paid(client: stripe.StripeClient, server: LocalStripe, amount: int = 1000) -> str:
    """The payment intent of a new payment."""
    link = await client.v1.payment_links.create_async(link_params(amount=amount))
    return str((await server.pay(link.id))["payment_intent"])
