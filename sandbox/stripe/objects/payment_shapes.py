"""Stripe's objects of payments: sessions, payment intents, charges (see shapes)."""

from __future__ import annotations

import secrets
from typing import Any

import stripe

from sandbox.stripe.objects.shapes import OFF, blank, new_id

Json = dict[str, Any]

CARD: Json = {
    "brand": "visa",
    "country": "US",
    "exp_month": 12,
    "exp_year": 2034,
    "funding": "credit",
    "last4": "4242",
}


def session(*, link: Json, amount: int, created: int, url: str, session_id: str, email: str | None) -> Json:
    """stripe.checkout.Session as a payment link opens it: 24 hours, no customer, no payment intent until it is tried
    (/payment-links/url-parameters, /api/checkout/sessions/object)."""
    return blank(stripe.checkout.Session, "line_items") | {
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
    return blank(stripe.PaymentIntent) | {
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
    return blank(stripe.Charge, "refunds", "level3", "transfer") | {
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
