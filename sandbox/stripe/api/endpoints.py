"""The part of Stripe's API that is here: which request does what, with which parameters and which permission.

Parameter types are the official SDK's. Permission names are those that Stripe's 403s spell out, where they were seen
in public (payment_link, subscription, invoice, plan, dispute, event, webhook); the others are built in the same manner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stripe import params as sdk
from stripe.params import checkout
from stripe.params.v2 import core as v2

from sandbox.stripe.act import Act
from sandbox.stripe.api.listing import (
    Keep,
    created_within,
    event_page,
    line_items,
    line_items_url,
    listed,
    shelf_page,
)
from sandbox.stripe.api.parameters import check_metadata
from sandbox.stripe.errors import ApiError, invalid
from sandbox.stripe.events.thin import snapshot_id, thin
from sandbox.stripe.objects import links, payments, refunds, shapes, webhook_endpoints

Json = dict[str, Any]
Handler = Callable[[Act, str, Json], Json]
"""Takes the act, the id in the path ("" if there is none) and the checked parameters."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    method: str
    path: str
    """With `{id}` where an id stands; also the endpoint's name for rate limits."""
    params: type
    permission: str
    handle: Handler


def _one(kind: str, param: str) -> Handler:
    """The object as a request sees it by now."""
    return lambda act, object_id, params: act.world.late.read(
        act.get(kind, object_id, param=param), act.now, param=param
    )


def _all(kind: str, url: str, *filters: str) -> Handler:
    """A list whose filters compare a field with a parameter of the same name."""

    def page(act: Act, _: str, params: Json) -> Json:
        within, asked = created_within(params), {name: params[name] for name in filters if name in params}

        def keep(item: Json) -> bool:
            return within(item) and all(item[name] == value for name, value in asked.items())

        return shelf_page(act, kind, params, url, keep)

    return page


def _sessions(act: Act, _: str, params: Json) -> Json:
    within = created_within(params)
    fields = ("status", "payment_link", "payment_intent", "customer", "subscription")
    asked = {name: params[name] for name in fields if name in params}
    email = params.get("customer_details", {}).get("email")

    def keep(item: Json) -> bool:
        if not within(item) or any(item[name] != value for name, value in asked.items()):
            return False
        return email is None or (item["customer_details"] or {}).get("email") == email

    return shelf_page(act, "checkout.session", params, "/v1/checkout/sessions", keep)


def _events(act: Act, _: str, params: Json) -> Json:
    """/api/events/list: `type` may end in a wildcard; `types` takes 20 at most."""
    if "type" in params and "types" in params:
        raise invalid("You may pass either `type` or `types`, but not both.", "types")
    types = params.get("types", [])
    if len(types) > 20:
        raise invalid("Array types exceeded maximum 20 allowed elements.", "types")
    within, delivered = created_within(params), params.get("delivery_success")
    wanted = _type_filter(params.get("type"), frozenset(types))

    def keep(event: Json) -> bool:
        if not within(event) or not wanted(event):
            return False
        return delivered is None or (event["pending_webhooks"] == 0) == delivered

    return event_page(act, params, "/v1/events", keep)


def _type_filter(pattern: str | None, types: frozenset[str]) -> Keep:
    if pattern is None:
        return lambda event: not types or event["type"] in types
    if pattern.endswith("*"):
        beginning = pattern[:-1]
        return lambda event: bool(event["type"].startswith(beginning))
    return lambda event: bool(event["type"] == pattern)


def _event(act: Act, event_id: str, _: Json) -> Json:
    entry = act.world.events.find(event_id, now=act.now)
    if entry is None:
        raise ApiError(404, f"No such event: '{event_id}'", param="id", code="resource_missing")
    return entry.shown()


def _lines(kind: str, param: str) -> Handler:
    def page(act: Act, object_id: str, params: Json) -> Json:
        item = act.get(kind, object_id, param=param)
        return listed(line_items(act, item), params, line_items_url(item))

    return page


def _expire(act: Act, session_id: str, _: Json) -> Json:
    return payments.expire(act, act.get("checkout.session", session_id, param="session"))


def _refund(act: Act, _: str, params: Json) -> Json:
    if ("charge" in params) == ("payment_intent" in params):
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or charge."
        )
    check_metadata(params.get("metadata") or {})
    if "charge" in params:
        charge = act.get("charge", params["charge"], param="charge", status=404)
    else:
        intent = act.get("payment_intent", params["payment_intent"], param="payment_intent", status=404)
        if intent["status"] != "succeeded":
            raise invalid(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
        charge = act.get("charge", intent["latest_charge"], param="payment_intent")
    metadata = links.merged_metadata({}, params.get("metadata") or {})
    return refunds.create(
        act, charge, amount=params.get("amount"), reason=params.get("reason"), metadata=metadata
    )


def _account(act: Act, account_id: str, _: Json) -> Json:
    return shapes.account(act.world.account, act.rules.merchant, takes_cards=act.rules.takes_cards)


def _methods(act: Act, _: str, params: Json) -> Json:
    """/api/payment_method_configurations/list: here there is the default one alone."""
    one = shapes.payment_method_configuration(livemode=act.world.livemode, wallet=act.rules.wallet_on)
    return listed([one], params, "/v1/payment_method_configurations")


def _destination(act: Act, endpoint: Json, payload: str, *, url_shown: bool) -> Json:
    """stripe.v2.core.EventDestination: what /v1/webhook_endpoints can't tell, whether events come whole or thin."""
    snapshot = payload == "snapshot"
    return shapes.event_destination(
        endpoint, payload, endpoint["api_version"] or act.world.events.rules.api_version, snapshot, url_shown
    )


def _destinations(act: Act, _: str, params: Json) -> Json:
    """/v2/core/event_destinations: a webhook's address is left out unless asked for (EventDestinationListParams.include).
    All are on one page here."""
    shown = "webhook_endpoint.url" in params.get("include", ())
    data = [
        _destination(act, endpoint, payload, url_shown=shown)
        for endpoint in act.world.shelves["webhook_endpoint"].newest_first()
        for payload in act.world.payloads_of(endpoint["id"])
    ]
    return {"data": data, "next_page_url": None, "previous_page_url": None}


def _thin_event(act: Act, event_id: str, _: Json) -> Json:
    entry = act.world.events.find(snapshot_id(event_id), now=act.now)
    if entry is None:
        raise ApiError(404, f"Event {event_id} not found.", code="not_found")
    return thin(entry) | {"changes": None}


def _webhooks(act: Act, _: str, params: Json) -> Json:
    """Those that get snapshots: whether v1 lists a thin destination is undocumented; it has no field to tell it apart."""

    def keep(item: Json) -> bool:
        return "snapshot" in act.world.payloads_of(item["id"])

    return shelf_page(act, "webhook_endpoint", params, "/v1/webhook_endpoints", keep)


def _create_link(act: Act, _: str, params: Json) -> Json:
    return links.create_link(act, params)


_READ, _WRITE = "read", "write"

ENDPOINTS = [
    Endpoint(method, path, params, f"rak_{permission}_{action}", handle)
    for method, path, params, permission, action, handle in (
        ("POST", "/v1/payment_links", sdk.PaymentLinkCreateParams, "payment_link", _WRITE, _create_link),
        ("GET", "/v1/payment_links", sdk.PaymentLinkListParams, "payment_link", _READ, _all("payment_link", "/v1/payment_links", "active")),
        ("GET", "/v1/payment_links/{id}", sdk.PaymentLinkRetrieveParams, "payment_link", _READ, _one("payment_link", "payment_link")),
        ("POST", "/v1/payment_links/{id}", sdk.PaymentLinkUpdateParams, "payment_link", _WRITE, links.update_link),
        ("GET", "/v1/payment_links/{id}/line_items", sdk.PaymentLinkLineItemListParams, "payment_link", _READ, _lines("payment_link", "payment_link")),
        ("GET", "/v1/checkout/sessions", checkout.SessionListParams, "checkout_session", _READ, _sessions),
        ("GET", "/v1/checkout/sessions/{id}", checkout.SessionRetrieveParams, "checkout_session", _READ, _one("checkout.session", "session")),
        ("POST", "/v1/checkout/sessions/{id}/expire", checkout.SessionExpireParams, "checkout_session", _WRITE, _expire),
        ("GET", "/v1/checkout/sessions/{id}/line_items", checkout.SessionLineItemListParams, "checkout_session", _READ, _lines("checkout.session", "session")),
        ("GET", "/v1/payment_intents", sdk.PaymentIntentListParams, "payment_intent", _READ, _all("payment_intent", "/v1/payment_intents", "customer")),
        ("GET", "/v1/payment_intents/{id}", sdk.PaymentIntentRetrieveParams, "payment_intent", _READ, _one("payment_intent", "intent")),
        ("GET", "/v1/charges", sdk.ChargeListParams, "charge", _READ, _all("charge", "/v1/charges", "customer", "payment_intent")),
        ("GET", "/v1/charges/{id}", sdk.ChargeRetrieveParams, "charge", _READ, _one("charge", "id")),
        ("POST", "/v1/refunds", sdk.RefundCreateParams, "charge", _WRITE, _refund),
        ("GET", "/v1/refunds", sdk.RefundListParams, "charge", _READ, _all("refund", "/v1/refunds", "charge", "payment_intent")),
        ("GET", "/v1/refunds/{id}", sdk.RefundRetrieveParams, "charge", _READ, _one("refund", "refund")),
        ("POST", "/v1/refunds/{id}/cancel", sdk.RefundCancelParams, "charge", _WRITE, refunds.cancel),
        ("GET", "/v1/disputes", sdk.DisputeListParams, "dispute", _READ, _all("dispute", "/v1/disputes", "charge", "payment_intent")),
        ("GET", "/v1/disputes/{id}", sdk.DisputeRetrieveParams, "dispute", _READ, _one("dispute", "dispute")),
        ("GET", "/v1/events", sdk.EventListParams, "event", _READ, _events),
        ("GET", "/v1/events/{id}", sdk.EventRetrieveParams, "event", _READ, _event),
        ("GET", "/v1/account", sdk.AccountRetrieveCurrentParams, "accounts_kyc_basic", _READ, _account),
        ("GET", "/v1/payment_method_configurations", sdk.PaymentMethodConfigurationListParams, "payment_method_configuration", _READ, _methods),
        ("GET", "/v1/products", sdk.ProductListParams, "product", _READ, _all("product", "/v1/products", "active")),
        ("GET", "/v1/products/{id}", sdk.ProductRetrieveParams, "product", _READ, _one("product", "id")),
        ("POST", "/v1/products/{id}", sdk.ProductUpdateParams, "product", _WRITE, links.update_product),
        ("GET", "/v1/prices", sdk.PriceListParams, "plan", _READ, _all("price", "/v1/prices", "active", "currency", "product")),
        ("GET", "/v1/prices/{id}", sdk.PriceRetrieveParams, "plan", _READ, _one("price", "price")),
        ("GET", "/v1/webhook_endpoints", sdk.WebhookEndpointListParams, "webhook", _READ, _webhooks),
        ("GET", "/v1/webhook_endpoints/{id}", sdk.WebhookEndpointRetrieveParams, "webhook", _READ, _one("webhook_endpoint", "webhook_endpoint")),
        ("GET", "/v2/core/event_destinations", v2.EventDestinationListParams, "webhook", _READ, _destinations),
        ("GET", "/v2/core/events/{id}", v2.EventRetrieveParams, "event", _READ, _thin_event),
        ("POST", "/v1/webhook_endpoints", sdk.WebhookEndpointCreateParams, "webhook", _WRITE, webhook_endpoints.create),
        ("POST", "/v1/webhook_endpoints/{id}", sdk.WebhookEndpointUpdateParams, "webhook", _WRITE, webhook_endpoints.update),
        ("DELETE", "/v1/webhook_endpoints/{id}", sdk.WebhookEndpointDeleteParams, "webhook", _WRITE, webhook_endpoints.delete),
    )
]  # fmt: skip

PERMISSIONS = frozenset(endpoint.permission for endpoint in ENDPOINTS)
"""All that a restricted key can be given here."""
