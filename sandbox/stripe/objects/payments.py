"""Buyers and banks: sessions, payments, refunds and disputes, and the events they leave (/payments/checkout/how-checkout-works)."""

from __future__ import annotations

import secrets
from typing import Any

from sandbox.stripe.act import Act
from sandbox.stripe.errors import refused
from sandbox.stripe.objects import links, money, payment_shapes, shapes

Json = dict[str, Any]


class BuyerStopped(Exception):
    """The page refuses what the buyer wants and says why."""


class LinkInactive(BuyerStopped):
    """The page shows the link's inactive message."""


class SessionClosed(BuyerStopped):
    """The session is complete or expired."""


def open_session(act: Act, link: Json, *, email: str | None = None, reference: str | None = None) -> Json:
    """A buyer opens the link; `prefilled_email` and `client_reference_id` come from the URL, so from anyone
    (/payment-links/url-parameters: up to 200 letters, digits, dashes and underscores, else ignored)."""
    if not links.is_open(link):
        raise LinkInactive(link["inactive_message"] or "This link is no longer active.")
    mode = "live" if link["livemode"] else "test"
    session_id = f"cs_{mode}_a1{secrets.token_hex(28)}"
    session = payment_shapes.session(
        link=link,
        amount=sum(line["amount_total"] for line in act.world.line_items[link["id"]]),
        created=act.created,
        url=f"{act.public_url}/checkout/{session_id}",
        session_id=session_id,
        email=email,
    )
    if reference and len(reference) <= 200 and reference.replace("-", "").replace("_", "").isalnum():
        session["client_reference_id"] = reference
    return act.world.add(session)


def pay(
    act: Act,
    session: Json,
    *,
    email: str,
    name: str | None = None,
    amount: int | None = None,
    currency: str | None = None,
    unpaid: bool = False,
    presentment: tuple[int, str] | None = None,
    last4: str = "4242",
) -> Json:
    """Completes an open session: paid, or `unpaid` as with a method that settles later (see `settle`)."""
    link = _payable_link(act, session)
    if amount is not None:
        session["amount_total"] = session["amount_subtotal"] = amount
    if currency is not None:
        session["currency"] = currency
    if act.rules.least_checked == "payment" and money.too_small(session["amount_total"], session["currency"]):
        raise BuyerStopped("The amount is too small to be charged.")
    if presentment is not None:
        shown = {"presentment_amount": presentment[0], "presentment_currency": presentment[1]}
        session["presentment_details"] = shown
    intent = _intent(act, session, link)
    intent["payment_method"] = shapes.new_id("pm")
    intent["presentment_details"] = session["presentment_details"]
    session.update(status="complete", url=None, customer_details=payment_shapes.customer_details(email, name))
    if unpaid:
        intent["status"] = "processing"
        act.record("payment_intent.processing", intent)
    else:
        _succeed(act, session, intent, last4=last4)
    act.record("checkout.session.completed", session)
    _count_completed(act, link)
    return session


def decline(
    act: Act, session: Json, *, email: str = "buyer@example.com", code: str = "generic_decline"
) -> Json:
    """The bank says no: a failed charge, and the session stays open for another try (/declines)."""
    intent = _intent(act, session, _payable_link(act, session))
    intent["payment_method"] = shapes.new_id("pm")
    charge = payment_shapes.charge(
        intent=intent, email=email, created=act.created, decline_code=code, last4="0002"
    )
    intent["payment_method"] = None
    intent["latest_charge"] = act.world.add(charge)["id"]
    intent["last_payment_error"] = {
        "charge": charge["id"],
        "code": "card_declined",
        "decline_code": code,
        "message": charge["failure_message"],
        "type": "card_error",
    }
    act.record("charge.failed", charge)
    act.record("payment_intent.payment_failed", intent)
    return session


def settle(act: Act, session: Json, *, succeeded: bool) -> Json:
    """The end of a payment that completed unpaid."""
    if session["status"] != "complete" or session["payment_status"] != "unpaid":
        raise SessionClosed("No payment of this session is waiting.")
    intent = act.world.get("payment_intent", session["payment_intent"], param="payment_intent")
    if succeeded:
        _succeed(act, session, intent)
        act.record("checkout.session.async_payment_succeeded", session)
    else:
        intent["status"] = "requires_payment_method"
        act.record("payment_intent.payment_failed", intent)
        act.record("checkout.session.async_payment_failed", session)
    return session


def expire(act: Act, session: Json) -> Json:
    """By the API (/api/checkout/sessions/expire) or after 24 hours: only open sessions can."""
    if session["status"] != "open":
        raise refused(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"{session['status']}.",
            "session",
        )
    session.update(status="expired", url=None, expires_at=min(session["expires_at"], act.created))
    act.record("checkout.session.expired", session)
    return session


def charge_of(act: Act, payment: str) -> Json:
    """The charge that a charge, payment intent or session id means; raises KeyError if it has none."""
    item = act.world.find(payment)
    if item is None:
        raise KeyError(payment)
    while item["object"] != "charge":
        following = (
            item.get("latest_charge") if item["object"] == "payment_intent" else item.get("payment_intent")
        )
        if following is None or (item := act.world.find(following)) is None:
            raise KeyError(payment)
    return item


def _payable_link(act: Act, session: Json) -> Json:
    if session["status"] != "open":
        raise SessionClosed(
            "This checkout session has expired."
            if session["status"] == "expired"
            else "This payment was completed."
        )
    link = act.world.get("payment_link", session["payment_link"], param="payment_link")
    if not links.is_open(link) and not act.rules.late_sessions_complete:
        raise LinkInactive(link["inactive_message"] or "This link is no longer active.")
    return link


def _intent(act: Act, session: Json, link: Json) -> Json:
    """The session's payment intent, made at the first try to pay (/changelog, 2022-08-01)."""
    if session["payment_intent"] is not None:
        return act.world.get("payment_intent", session["payment_intent"], param="payment_intent")
    data = link["payment_intent_data"] or {}
    intent = act.world.add(payment_shapes.payment_intent(session=session, data=data, created=act.created))
    session["payment_intent"] = intent["id"]
    act.record("payment_intent.created", intent)
    return intent


def _succeed(act: Act, session: Json, intent: Json, *, last4: str = "4242") -> None:
    intent.update(amount=session["amount_total"], currency=session["currency"])
    email = session["customer_details"]["email"]
    charge = payment_shapes.charge(
        intent=intent, email=email, created=act.created, decline_code=None, last4=last4
    )
    charge["presentment_details"] = session["presentment_details"]
    act.world.add(charge)
    intent.update(
        amount_received=intent["amount"],
        last_payment_error=None,
        latest_charge=charge["id"],
        status="succeeded",
    )
    session["payment_status"] = "paid"
    act.record("charge.succeeded", charge)
    act.record("payment_intent.succeeded", intent)


def _count_completed(act: Act, link: Json) -> None:
    """/payment-links/customize#limit: completed sessions count, and at the limit the link goes inactive."""
    limit = (link["restrictions"] or {}).get("completed_sessions")
    if limit is None:
        return
    limit["count"] += 1
    if link["active"] and limit["count"] >= limit["limit"]:
        link["active"] = False
        act.record("payment_link.updated", link, previous={"active": True})
