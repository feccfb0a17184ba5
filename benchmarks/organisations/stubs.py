"""A Slack and a Stripe that only say yes to everybody, and write down when they were asked."""

import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import web

SECRET = "bench"


def team(index: int) -> str:
    return f"T{index:08d}"


def stripe_key(index: int) -> str:
    return f"rk_test_bench{index:06d}"


def webhook_secret(index: int) -> str:
    return f"whsec_bench{index:06d}"


@dataclass
class Stubs:
    """Slack and Stripe. ``at`` says when a trigger's modal, or a channel's message, came."""

    url: str = ""
    at: dict[str, float] = field(default_factory=dict)
    asked: list[float] = field(default_factory=list)
    """When Stripe was asked for something."""

    async def slack(self, request: web.Request) -> web.Response:
        now = time.monotonic()
        text = await request.text()
        given = json.loads(text) if request.content_type == "application/json" else dict(await request.post())
        method, to = request.match_info["method"], str(given.get("trigger_id") or given.get("channel", ""))
        if method in ("views.open", "chat.postMessage"):
            self.at.setdefault(to, now)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or str(
            given.get("token", "")
        )
        own = team(int(token.rpartition("-")[2] or 0))
        user = {"id": "U0ANNA", "team_id": own, "is_admin": True, "is_restricted": False, "deleted": False}
        return web.json_response(
            {"ok": True, "ts": "1.000001", "channel": to, "user": user, "view": {"id": "V1", "hash": "1.0"}}
        )

    async def stripe(self, request: web.Request) -> web.Response:
        self.asked.append(time.monotonic())
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if request.path.endswith("/account"):
            return web.json_response({"id": f"acct_{key[-6:]}", "object": "account"})
        if "/checkout/sessions/" in request.path:
            return web.json_response(paid_session(request.path.rpartition("/")[2]))
        return web.json_response({"object": "list", "data": [], "has_more": False})


def paid_session(session_id: str) -> dict[str, object]:
    """Its id says which link was paid."""
    _, link, amount, currency = session_id.split("_")
    return {
        "id": session_id,
        "object": "checkout.session",
        "created": int(time.time()),
        "livemode": False,
        "status": "complete",
        "payment_status": "paid",
        "payment_link": f"plink_{link}",
        "payment_intent": f"pi_{link}",
        "amount_total": int(amount),
        "currency": currency.lower(),
        "metadata": {},
    }


@contextlib.asynccontextmanager
async def stubs(both: Stubs) -> AsyncIterator[Stubs]:
    """They answer at ``both.url``."""
    app = web.Application()
    app.router.add_route("*", "/api/{method}", both.slack)
    app.router.add_route("*", "/v1/{rest:.*}", both.stripe)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    both.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield both
    finally:
        await runner.cleanup()
