"""Stripe's objects at API version 2026-10-28.endive, with every key that the official SDK's types name.

A key whose value this Stripe has nothing to say about is null, as it is at Stripe. Keys that only appear when expanded
(`line_items`, a charge's `refunds`) or on deleted objects are left out (/expand).
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from functools import cache
from typing import Any

import stripe
from stripe import StripeObject

Json = dict[str, Any]

OFF: Json = {"enabled": False}


def new_id(prefix: str) -> str:
    """An id in Stripe's manner: the kind's prefix, then letters and digits that mean nothing."""
    return f"{prefix}_1{secrets.token_hex(12)}"


@cache
def blank(resource: type[StripeObject], *left_out: str) -> dict[str, None]:
    """Every key of a resource with null, but those left out. Shared: combine it with `|`, never change it."""
    names = [name for name in resource.__annotations__ if name not in ("OBJECT_NAME", "deleted", *left_out)]
    return dict.fromkeys(names)


def payment_link(*, created_from: Json, code_url: str, line_currency: str, livemode: bool) -> Json:
    """stripe.PaymentLink from its checked creation parameters; it has no `created`."""
    given = created_from
    limit = given.get("restrictions")
    intent = given.get("payment_intent_data")
    return blank(stripe.PaymentLink, "line_items") | {
        "id": new_id("plink"),
        "object": "payment_link",
        "active": True,
        "after_completion": given.get(
            "after_completion",
            {"hosted_confirmation": {"custom_message": None}, "type": "hosted_confirmation"},
        ),
        "allow_promotion_codes": given.get("allow_promotion_codes", False),
        "automatic_tax": {"liability": None, **given.get("automatic_tax", OFF)},
        "billing_address_collection": given.get("billing_address_collection", "auto"),
        "currency": line_currency,
        "custom_fields": given.get("custom_fields", []),
        "custom_text": dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
        )
        | given.get("custom_text", {}),
        "customer_creation": given.get("customer_creation", "if_required"),
        "inactive_message": given.get("inactive_message"),
        "invoice_creation": given.get("invoice_creation", OFF),
        "livemode": livemode,
        "metadata": given.get("metadata") or {},
        "payment_intent_data": None
        if intent is None
        else dict.fromkeys(
            (
                "capture_method",
                "description",
                "setup_future_usage",
                "statement_descriptor",
                "statement_descriptor_suffix",
                "transfer_group",
            )
        )
        | {"metadata": {}}
        | intent,
        "payment_method_collection": "always",
        "payment_method_types": given.get("payment_method_types"),
        "phone_number_collection": given.get("phone_number_collection", OFF),
        "restrictions": None
        if limit is None
        else {"completed_sessions": {"count": 0, "limit": limit["completed_sessions"]["limit"]}},
        "shipping_options": [],
        "submit_type": given.get("submit_type", "auto"),
        "tax_id_collection": {"enabled": False, "required": "never"},
        "url": code_url,
    }


def product(*, name: str, data: Json, created: int, livemode: bool) -> Json:
    return blank(stripe.Product) | {
        "id": new_id("prod"),
        "object": "product",
        "active": True,
        "created": created,
        "updated": created,
        "description": data.get("description"),
        "images": data.get("images", []),
        "livemode": livemode,
        "marketing_features": [],
        "metadata": data.get("metadata") or {},
        "name": name,
        "tax_code": data.get("tax_code"),
        "type": "service",
        "unit_label": data.get("unit_label"),
    }


def price(*, product_id: str, currency: str, unit_amount: int, created: int, livemode: bool) -> Json:
    return blank(stripe.Price, "currency_options", "tiers") | {
        "id": new_id("price"),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": created,
        "currency": currency,
        "livemode": livemode,
        "metadata": {},
        "product": product_id,
        "tax_behavior": "unspecified",
        "type": "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": str(unit_amount),
    }


def line_item(*, price: Json, description: str, quantity: int) -> Json:
    total = price["unit_amount"] * quantity
    return blank(stripe.LineItem, "discounts", "taxes") | {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": price["currency"],
        "description": description,
        "price": price,
        "quantity": quantity,
    }


def event(
    *, kind: str, previous: Json | None, created: int, cause: Json | None, version: str, livemode: bool
) -> Json:
    """stripe.Event without its `data.object`; `cause` is {"id", "idempotency_key"} of the API request behind it, both null
    for a buyer's act."""
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": version,
        "created": created,
        "data": {} if previous is None else {"previous_attributes": previous},
        "livemode": livemode,
        "pending_webhooks": 0,
        "request": cause or {"id": None, "idempotency_key": None},
        "type": kind,
    }


def webhook_endpoint(
    *, url: str, enabled_events: list[str], given: Json, created: int, livemode: bool
) -> Json:
    return blank(stripe.WebhookEndpoint, "secret") | {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": given.get("api_version"),
        "created": created,
        "description": given.get("description"),
        "enabled_events": enabled_events,
        "livemode": livemode,
        "metadata": given.get("metadata") or {},
        "status": "enabled",
        "url": url,
    }


def event_destination(endpoint: Json, payload: str, version: str, snapshot: bool, url_shown: bool) -> Json:
    """stripe.v2.core.EventDestination of a webhook endpoint. Times are text in v2."""
    created = datetime.fromtimestamp(endpoint["created"], UTC).isoformat().replace("+00:00", "Z")
    events = endpoint["enabled_events"]
    return blank(stripe.v2.core.EventDestination) | {
        "id": endpoint["id"] if snapshot else endpoint["id"].replace("we_1", "we_2"),
        "object": "v2.core.event_destination",
        "created": created,
        "description": endpoint["description"] or "",
        "enabled_events": events
        if snapshot
        else [name if name == "*" else f"v1.{name.removeprefix('v1.')}" for name in events],
        "event_payload": payload,
        "events_from": ["self"],
        "livemode": endpoint["livemode"],
        "metadata": endpoint["metadata"],
        "name": endpoint["description"] or "Webhook",
        "snapshot_api_version": version if snapshot else None,
        "status": endpoint["status"],
        "type": "webhook_endpoint",
        "updated": created,
        "webhook_endpoint": {"signing_secret": None, "url": endpoint["url"] if url_shown else None},
    }


def account(account_id: str, merchant: str, *, takes_cards: bool = True) -> Json:
    return {
        "id": account_id,
        "object": "account",
        "business_profile": {"name": merchant, "support_email": None, "url": None},
        "business_type": "company",
        "capabilities": {"card_payments": "active" if takes_cards else "inactive", "transfers": "active"},
        "charges_enabled": takes_cards,
        "country": "US",
        "created": 1_700_000_000,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "owner@example.com",
        "metadata": {},
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": merchant, "timezone": "Etc/UTC"}},
        "type": "standard",
    }


def payment_method_configuration(*, livemode: bool, wallet: bool) -> Json:
    """The account's default stripe.PaymentMethodConfiguration. `available` says whether checkout may offer a method."""

    def method(on: bool) -> Json:
        value = "on" if on else "off"
        preference = {"overridable": None, "preference": value, "value": value}
        return {"available": on, "display_preference": preference}

    return blank(stripe.PaymentMethodConfiguration) | {
        "id": "pmc_1PaylinkLocal",
        "object": "payment_method_configuration",
        "active": True,
        "card": method(True),
        "is_default": True,
        "link": method(wallet),
        "livemode": livemode,
        "name": "Default",
    }
