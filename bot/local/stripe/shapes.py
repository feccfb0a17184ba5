"""Stripe's objects at API version 2026-10-28.endive, with every key that the official SDK's types name.

A key whose value this Stripe has nothing to say about is null, as it is at Stripe. Keys that only appear when expanded
(`line_items`, a charge's `refunds`) or on deleted objects are left out (/expand).
"""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any

import stripe
from stripe import StripeObject

Json = dict[str, Any]

OFF: Json = {"enabled": False}
CARD: Json = {
    "brand": "visa",
    "country": "US",
    "exp_month": 12,
    "exp_year": 2034,
    "funding": "credit",
    "last4": "4242",
}


def new_id(prefix: str) -> str:
    """An id in Stripe's manner: the kind's prefix, then letters and digits that mean nothing."""
    return f"{prefix}_1{secrets.token_hex(12)}"


@cache
def _keys(resource: type[StripeObject], *left_out: str) -> dict[str, None]:
    names = [name for name in resource.__annotations__ if name not in ("OBJECT_NAME", "deleted", *left_out)]
    return dict.fromkeys(names)


def payment_link(*, created_from: Json, code_url: str, line_currency: str, livemode: bool) -> Json:
    """stripe.PaymentLink from its checked creation parameters; it has no `created`."""
    given = created_from
    limit = given.get("restrictions")
    intent = given.get("payment_intent_data")
    return _keys(stripe.PaymentLink, "line_items") | {
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
    return _keys(stripe.Product) | {
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
    return _keys(stripe.Price, "currency_options", "tiers") | {
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
    return _keys(stripe.LineItem, "discounts", "taxes") | {
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


def session(*, link: Json, amount: int, created: int, url: str, session_id: str, email: str | None) -> Json:
    """stripe.checkout.Session as a payment link opens it: 24 hours, no customer, no payment intent until it is tried
    (/payment-links/url-parameters, /api/checkout/sessions/object)."""
    return _keys(stripe.checkout.Session, "line_items") | {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": True},
        "allow_promotion_codes": link["allow_promotion_codes"],
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": link["billing_address_collection"],
        "cancel_url": "https://stripe.com",
        "created": created,
        "currency": link["currency"],
        "custom_fields": [],
        "custom_text": link["custom_text"],
        "customer_creation": link["customer_creation"],
        "customer_email": email,
        "expires_at": created + 24 * 3600,
        "invoice_creation": {"enabled": False, "invoice_data": {"metadata": {}}},
        "livemode": link["livemode"],
        "locale": "auto",
        "metadata": dict(link["metadata"]),
        "mode": "payment",
        "payment_link": link["id"],
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "payment_method_types": link["payment_method_types"] or ["card", "link"],
        "payment_status": "unpaid",
        "phone_number_collection": OFF,
        "shipping_options": [],
        "status": "open",
        "submit_type": link["submit_type"],
        "success_url": "https://stripe.com",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": url,
    }


def customer_details(email: str, name: str | None) -> Json:
    names = ("address", "business_name", "individual_name", "phone", "tax_exempt")
    return dict.fromkeys(names) | {"email": email, "name": name, "tax_ids": [], "tax_exempt": "none"}


def payment_intent(*, session: Json, data: Json, created: int) -> Json:
    """stripe.PaymentIntent of a session; its metadata is the link's `payment_intent_data[metadata]` and nothing else."""
    intent_id = new_id("pi")
    return _keys(stripe.PaymentIntent) | {
        "id": intent_id,
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": data.get("capture_method") or "automatic_async",
        "client_secret": f"{intent_id}_secret_{secrets.token_hex(8)}",
        "confirmation_method": "automatic",
        "created": created,
        "currency": session["currency"],
        "description": data.get("description"),
        "livemode": session["livemode"],
        "metadata": dict(data.get("metadata") or {}),
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": session["payment_method_types"],
        "status": "requires_payment_method",
    }


def charge(*, intent: Json, email: str, created: int, decline_code: str | None, last4: str) -> Json:
    paid = decline_code is None
    charge_id = new_id("ch")
    return _keys(stripe.Charge, "refunds", "level3", "transfer") | {
        "id": charge_id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "balance_transaction": new_id("txn") if paid else None,
        "billing_details": {"address": None, "email": email, "name": None, "phone": None, "tax_id": None},
        "calculated_statement_descriptor": "PAYLINK LOCAL",
        "captured": paid,
        "created": created,
        "currency": intent["currency"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": None if paid else "card_declined",
        "failure_message": None if paid else "Your card was declined.",
        "fraud_details": {},
        "livemode": intent["livemode"],
        "metadata": dict(intent["metadata"]),
        "outcome": {
            "network_status": "approved_by_network" if paid else "declined_by_network",
            "reason": decline_code,
            "risk_level": "normal",
            "seller_message": "Payment complete." if paid else "The bank did not return any further details.",
            "type": "authorized" if paid else "issuer_declined",
        },
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": {"card": CARD | {"last4": last4}, "type": "card"},
        "receipt_email": None,
        "receipt_url": f"https://pay.stripe.com/receipts/payment/{charge_id}",
        "refunded": False,
        "status": "succeeded" if paid else "failed",
    }


def refund(*, charge: Json, amount: int, reason: str | None, metadata: Json, created: int) -> Json:
    return _keys(stripe.Refund, "description", "failure_reason", "instructions_email", "next_action") | {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "succeeded",
    }


def dispute(*, charge: Json, amount: int, reason: str, created: int) -> Json:
    return _keys(stripe.Dispute) | {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(stripe.Dispute.Evidence.__annotations__),
        "evidence_details": {
            "due_by": created + 9 * 24 * 3600,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": charge["livemode"],
        "metadata": {},
        "network_reason_code": "10.4",
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {"card": {"brand": "visa", "network_reason_code": "10.4"}, "type": "card"},
        "reason": reason,
        "status": "needs_response",
    }


def event(
    *,
    kind: str,
    payload: Json,
    previous: Json | None,
    created: int,
    cause: Json | None,
    version: str,
    livemode: bool,
) -> Json:
    """stripe.Event; `cause` is {"id", "idempotency_key"} of the API request behind it, both null for a buyer's act."""
    data: Json = (
        {"object": payload} if previous is None else {"object": payload, "previous_attributes": previous}
    )
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": version,
        "created": created,
        "data": data,
        "livemode": livemode,
        "pending_webhooks": 0,
        "request": cause or {"id": None, "idempotency_key": None},
        "type": kind,
    }


def webhook_endpoint(
    *, url: str, enabled_events: list[str], given: Json, created: int, livemode: bool
) -> Json:
    return _keys(stripe.WebhookEndpoint, "secret") | {
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


def account(account_id: str, merchant: str) -> Json:
    return {
        "id": account_id,
        "object": "account",
        "business_profile": {"name": merchant, "support_email": None, "url": None},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
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
