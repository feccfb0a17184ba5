"""The same control over HTTP, for tests that run the local Stripe as a process of its own and for the demo's page.

JSON in, JSON out, below `/_local/`. Not part of Stripe's API: no key, no rate, no log, no faults.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.stripe.errors import ApiError
from sandbox.stripe.objects import payments

if TYPE_CHECKING:
    from sandbox.stripe.server import LocalStripe

Json = dict[str, Any]
SHELVES = {
    "links": "payment_link",
    "sessions": "checkout.session",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "refunds": "refund",
    "disputes": "dispute",
    "events": "event",
    "webhooks": "webhook_endpoint",
}


class Control:
    """GET reads a shelf (`?livemode=true` the live one); POST does what the method of that name does, its body being the
    keyword arguments; `target` is the id or URL that the method takes first."""

    def __init__(self, stripe: LocalStripe) -> None:
        self._stripe = stripe

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/_local/requests", self._requests)
        app.router.add_get("/_local/faults", self._faults)
        app.router.add_delete("/_local/faults", self._clear_faults)
        app.router.add_get("/_local/late", self._late)
        app.router.add_delete("/_local/late", self._clear_late)
        app.router.add_get("/_local/{shelf}", self._shelf)
        app.router.add_post("/_local/{action}", self._post)

    async def _requests(self, request: web.Request) -> web.Response:
        """`?since=N` leaves out the first N."""
        since = int(request.query.get("since", "0"))
        return web.json_response([asdict(record) for record in self._stripe.requests[since:]])

    async def _faults(self, request: web.Request) -> web.Response:
        return web.json_response(self._stripe.faults.as_json())

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self._stripe.faults.clear()
        return web.json_response([])

    async def _late(self, request: web.Request) -> web.Response:
        return web.json_response(self._stripe.late.as_json())

    async def _clear_late(self, request: web.Request) -> web.Response:
        self._stripe.late.clear()
        return web.json_response([])

    async def _shelf(self, request: web.Request) -> web.Response:
        shelf = SHELVES.get(request.match_info["shelf"])
        if shelf is None:
            return web.json_response({"error": "no such shelf"}, status=404)
        return web.json_response(
            self._stripe.objects(shelf, livemode=request.query.get("livemode") == "true")
        )

    async def _post(self, request: web.Request) -> web.Response:
        try:
            given = await request.json() if request.can_read_body else {}
            return web.json_response(await self._act(request.match_info["action"], given))
        except ApiError as refusal:
            return web.json_response({"error": refusal.message}, status=refusal.status)
        except payments.BuyerStopped as reason:
            return web.json_response({"error": str(reason)}, status=409)
        except KeyError as unknown:
            return web.json_response({"error": f"unknown: {unknown.args[0]}"}, status=404)
        except (TypeError, ValueError) as mistake:
            return web.json_response({"error": str(mistake)}, status=400)

    async def _act(self, action: str, given: Json) -> Any:
        stripe = self._stripe
        acts: dict[str, Callable[..., Awaitable[Json]]] = {
            "open": stripe.open_session,
            "pay": stripe.pay,
            "decline": stripe.decline,
            "settle": stripe.settle,
            "expire": stripe.expire,
            "refund": stripe.refund,
            "deactivate": stripe.deactivate,
            "reactivate": stripe.reactivate,
            "copy_link": stripe.copy_link,
            "change_refund": stripe.change_refund,
            "dispute": stripe.dispute,
            "submit_evidence": stripe.submit_evidence,
            "change_dispute": stripe.change_dispute,
        }
        if action in acts:
            return await acts[action](given.pop("target"), **given)
        settings: dict[str, Callable[[Json], Any]] = {
            "faults": lambda rule: stripe.faults.add(**rule).as_json(),
            "late": lambda rule: asdict(stripe.late.add(rule.pop("how"), rule.pop("what"), **rule)),
            "outage": lambda _: stripe.faults.outage().as_json(),
            "clock": self._clock,
            "keys": self._key,
            "webhooks": lambda rule: stripe.add_webhook(**rule),
            "rules": lambda rule: self._set(stripe.rules, rule),
            "limits": lambda rule: self._set(stripe.limits, rule),
            "event_rules": lambda rule: self._set(stripe.event_rules, rule),
            "webhook_rules": lambda rule: self._set(stripe.webhook_rules, rule),
            "resend": lambda rule: stripe.resend(rule["event"]),
        }
        return settings[action](given)

    def _clock(self, rule: Json) -> Json:
        self._stripe.advance(float(rule.get("advance", 0)))
        return {"now": self._stripe.now()}

    def _key(self, rule: Json) -> Json:
        """Adds the key, or changes what is given of a known one."""
        secret = rule.pop("secret")
        account, without = rule.pop("account", None), rule.pop("without", ())
        key = self._stripe.find_key(secret) or self._stripe.add_key(secret, account=account, without=without)
        if "permissions" in rule:
            allowed = rule.pop("permissions")
            key.permissions = None if allowed is None else frozenset(allowed)
        self._set(key, rule)
        self._stripe.changed()
        return key.as_json()

    @staticmethod
    def _set(rules: Any, given: Json) -> Json:
        for name, value in given.items():
            if name not in type(rules).__dataclass_fields__:
                raise ValueError(f"there is no setting {name}")
            setattr(rules, name, value)
        return given
