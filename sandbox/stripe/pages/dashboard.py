"""Stripe's Dashboard, as far as it is needed by hand: refunds, disputes, two payments of a link, a link switched off."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import hdrs, web

from sandbox.stripe.errors import ApiError
from sandbox.stripe.objects.money import amount_of, amount_text
from sandbox.stripe.objects.payments import BuyerStopped
from sandbox.stripe.pages import dashboard_markup as markup

if TYPE_CHECKING:
    from sandbox.stripe.server import LocalStripe

Json = dict[str, Any]
MOST = 25


class DashboardPages:
    """/dashboard shows an account's test mode, its newest links first; each act is a form and leads back to it.

    ``account``: by default the first one. ``below``: where the application that has the routes is served, if not at /.
    """

    def __init__(self, stripe: LocalStripe, *, account: str | None = None, below: str = "") -> None:
        self._stripe = stripe
        self._account = account or stripe.account
        self._below = below

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/dashboard", self.show)
        app.router.add_post("/dashboard/{act}", self.act)

    async def show(self, request: web.Request) -> web.Response:
        return self._page(request.query.get("find", ""), done=request.query.get("done", ""))

    async def act(self, request: web.Request) -> web.Response:
        # A page elsewhere may not act here through the person's browser.
        origin = request.headers.get(hdrs.ORIGIN)
        hosts = {request.host, self._stripe.public_url.partition("://")[2]} - {""}
        if origin is not None and origin.partition("://")[2] not in hosts:
            raise web.HTTPForbidden(text="The Dashboard's buttons are on its own page.")
        form = {name: str(value).strip() for name, value in (await request.post()).items()}
        try:
            done = await self._do(request.match_info["act"], form.get("target", ""), form)
        except (ApiError, BuyerStopped, ValueError) as refused:
            return self._page("", problem=f"That can't be done: {refused}", status=409)
        except KeyError:
            return self._page("", problem="There is no such thing here.", status=404)
        query = urlencode({"done": done})
        raise web.HTTPSeeOther(f"{self._below}/dashboard?{query}#{form['target']}")

    async def _do(self, act: str, target: str, form: Json) -> str:
        """Carries out one act and says so; raises KeyError for what isn't there."""
        stripe, item = self._stripe, self._stripe.find(target)
        amount = amount_of(form["amount"], item["currency"]) if form.get("amount") else None
        match act:
            case "refund":
                refund = await stripe.refund(target, amount=amount, status=form.get("status") or "succeeded")
                if refund["status"] == "failed":
                    return "The refund was made, and failed."
                return f"{amount_text(refund['amount'], refund['currency'])} was refunded."
            case "change_refund":
                await stripe.change_refund(target, status=form["status"])
                return f"The refund is now {form['status']}."
            case "dispute" | "inquire":
                status = "needs_response" if act == "dispute" else "warning_needs_response"
                await stripe.dispute(target, status=status)
                return "The buyer's bank disputes the payment." if act == "dispute" else "The bank inquires."
            case "submit_evidence":
                return f"The dispute is now {(await stripe.submit_evidence(target))['status']}."
            case "change_dispute":
                await stripe.change_dispute(target, status=form["status"])
                return f"The dispute is now {form['status']}."
            case "deactivate":
                await stripe.deactivate(target)
                return "The link was deactivated."
            case "reactivate":
                await stripe.reactivate(target)
                return "The link was reactivated."
            case "copy_link":
                await stripe.copy_link(target, amount=amount)
                return "The link was copied, its metadata with it."
            case "pay":
                await stripe.pay(target)
                return "The link was paid."
            case "pay_twice":
                sessions = [await stripe.open_session(target) for _ in range(2)]
                for session in sessions:
                    await stripe.pay(session["id"])
                return "Two buyers had the page open, and both paid."
        raise KeyError(act)

    def _page(self, find: str, *, done: str = "", problem: str = "", status: int = 200) -> web.Response:
        stripe = self._stripe
        world = stripe.act(self._account, livemode=False).world
        names = {link_id: lines[0]["description"] for link_id, lines in world.line_items.items()}
        found = [
            link
            for link in world.shelves["payment_link"].newest_first()
            if find.lower() in f"{names[link['id']]} {link['id']} {link['metadata']}".lower()
        ]
        payments: defaultdict[str, list[Json]] = defaultdict(list)
        for session in world.shelves["checkout.session"]:
            if session["status"] == "complete":
                payments[session["payment_link"]].append(session)
        shown = [
            {
                "link": link,
                "name": names[link["id"]],
                "amount": amount_text(
                    sum(line["amount_total"] for line in world.line_items[link["id"]]), link["currency"]
                ),
                "payments": [self._payment(session) for session in payments[link["id"]]],
            }
            for link in found[:MOST]
        ]
        text = markup.page(
            shown, find=find, more=len(found) - MOST, done=done, problem=problem, below=self._below
        )
        return web.Response(text=text, status=status, content_type="text/html", headers=markup.HEADERS)

    def _payment(self, session: Json) -> Json:
        world = self._stripe.act(self._account, livemode=False).world
        intent = world.find(session["payment_intent"]) or {}
        charge = (
            world.find(intent.get("latest_charge") or "") if session["payment_status"] == "paid" else None
        )
        of = {
            kind: [
                item for item in world.shelves[kind] if charge is not None and item["charge"] == charge["id"]
            ]
            for kind in ("refund", "dispute")
        }
        return {"session": session, "charge": charge, "refunds": of["refund"], "disputes": of["dispute"]}
