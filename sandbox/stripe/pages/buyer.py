"""The buyer's side over HTTP: a link's URL opens a session, the session's page is paid, declined or left."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import urlencode

from aiohttp import web

from sandbox.stripe.act import Act
from sandbox.stripe.api.listing import line_items
from sandbox.stripe.objects import payments
from sandbox.stripe.pages import markup as pages

Json = dict[str, Any]
DECLINES = {
    "4000000000000002": ("generic_decline", "Your card was declined."),
    "4000000000009995": ("insufficient_funds", "Your card has insufficient funds."),
    "4000000000009987": ("lost_card", "Your card was declined."),
    "4000000000000069": ("expired_card", "Your card has expired."),
}
"""/testing#declined-payments"""
ACCEPTED = {"4242424242424242", "4000056655665556", "5555555555554444", "378282246310005"}
"""/testing#cards"""
AMERICAN_EXPRESS, ITS_MOST = ("34", "37"), 10**9 - 1
"""/currencies#minimum-and-maximum-charge-amounts: nine digits. What its page says then is undocumented."""


class Shop(Protocol):
    """What the pages need of the server around them."""

    def act_for(self, object_id: str) -> Act: ...
    def link_id(self, code: str) -> str | None: ...
    def changed(self) -> None: ...


class BuyerPages:
    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/pay/{code}", self.open, allow_head=False)
        app.router.add_get("/checkout/{id}", self.show)
        app.router.add_post("/checkout/{id}", self.submit)

    async def open(self, request: web.Request) -> web.Response:
        """Opens a session and sends the buyer to its page, so that reloading doesn't open another."""
        link_id = self._shop.link_id(request.match_info["code"])
        if link_id is None:
            return _html(pages.unknown(), status=404)
        act = self._shop.act_for(link_id)
        link = act.get("payment_link", link_id, param="payment_link")
        query = request.query
        try:
            session = payments.open_session(
                act, link, email=query.get("prefilled_email"), reference=query.get("client_reference_id")
            )
        except payments.LinkInactive as reason:
            return _html(pages.inactive(str(reason), livemode=link["livemode"]))
        self._shop.changed()
        raise web.HTTPSeeOther(f"/checkout/{session['id']}")

    async def show(self, request: web.Request) -> web.Response:
        found = self._found(request)
        return (
            _html(pages.unknown(), status=404)
            if found is None
            else self._state(*found, left="left" in request.query)
        )

    async def submit(self, request: web.Request) -> web.Response:
        found, form = self._found(request), await request.post()
        if found is None:
            return _html(pages.unknown(), status=404)
        act, session = found
        action, email = str(form.get("action", "pay")), str(form.get("email", "")).strip()
        if action == "leave":
            raise web.HTTPSeeOther(f"/checkout/{session['id']}?{urlencode({'left': 'yes'})}")
        card = "".join(character for character in str(form.get("card", "")) if character.isdigit())
        if action == "decline":
            card = "4000000000000002"
        problem = self._pay(act, session, email, card)
        if problem is not None:
            return self._form(act, session, email=email, problem=problem)
        self._shop.changed()
        link = act.get("payment_link", session["payment_link"], param="payment_link")
        elsewhere = (link["after_completion"].get("redirect") or {}).get("url")
        raise web.HTTPSeeOther(
            elsewhere.replace("{CHECKOUT_SESSION_ID}", session["id"])
            if elsewhere
            else f"/checkout/{session['id']}"
        )

    def _pay(self, act: Act, session: Json, email: str, card: str) -> str | None:
        """Pays, or tells what the page then shows."""
        try:
            if card in DECLINES:
                code, problem = DECLINES[card]
                payments.decline(act, session, email=email or pages.EXAMPLE_EMAIL, code=code)
                self._shop.changed()
                return problem
            if card not in ACCEPTED:
                return "Your card number is invalid. This page takes Stripe's test cards only."
            if card.startswith(AMERICAN_EXPRESS) and session["amount_total"] > ITS_MOST:
                return "Your card does not support this amount."
            name, at, domain = email.rpartition("@")
            if not (name and at and "." in domain.strip(".") and len(email) <= 254):
                return "Your email is invalid."
            payments.pay(act, session, email=email, last4=card[-4:])
        except payments.BuyerStopped as reason:
            return str(reason)
        return None

    def _found(self, request: web.Request) -> tuple[Act, Json] | None:
        try:
            act = self._shop.act_for(request.match_info["id"])
        except KeyError:
            return None
        item = act.world.find(request.match_info["id"])
        return None if item is None or item["object"] != "checkout.session" else (act, item)

    def _state(self, act: Act, session: Json, *, left: bool) -> web.Response:
        link = act.get("payment_link", session["payment_link"], param="payment_link")
        if session["status"] == "complete":
            message = (link["after_completion"].get("hosted_confirmation") or {}).get("custom_message")
            return _html(pages.thanks(session, act.rules.merchant, message))
        if session["status"] == "expired":
            return _html(pages.closed("This checkout session has expired.", livemode=session["livemode"]))
        return _html(pages.left(session, link["url"])) if left else self._form(act, session)

    def _form(self, act: Act, session: Json, *, email: str = "", problem: str | None = None) -> web.Response:
        if session["status"] != "open":
            return self._state(act, session, left=False)
        page = pages.payment(
            session, line_items(act, session), act.rules.merchant, email=email, problem=problem
        )
        return _html(page, status=200 if problem is None else 402)


def _html(text: str, *, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", headers=pages.HEADERS)
