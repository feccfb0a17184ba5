"""A gateway between Paylink and the local Stripe, which hands requests on and may answer in Stripe's place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from sandbox.stripe.server import LocalStripe


@dataclass
class Gateway:
    """``answers`` are taken one by one, each as (status, body), for POST requests that Stripe has dealt with by then."""

    api_key: str
    api_url: str
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    """The idempotency keys that came, in order."""


@asynccontextmanager
async def gateway(stripe: LocalStripe) -> AsyncIterator[Gateway]:
    one = Gateway(stripe.api_key, "")

    async def hand_on(request: web.Request) -> web.Response:
        body = await request.read()
        async with session.request(
            request.method, stripe.api_url + request.path_qs, headers=request.headers, data=body or None
        ) as answer:
            status, content = answer.status, await answer.read()
            headers = {"Content-Type": "application/json"}
        if request.method == "POST":
            one.keys.append(request.headers.get("Idempotency-Key", ""))
            if one.answers:
                status, content = one.answers.pop(0)
                headers |= one.headers
        return web.Response(status=status, body=content, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hand_on)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.api_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession(auto_decompress=True) as session:
        try:
            yield one
        finally:
            await runner.cleanup()
