"""The request that makes a payment link: its body, to the letter."""

from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]


def payment_link_request(
    *, amount: int, currency: str, name: str, metadata: Mapping[str, str], inactive_message: str
) -> Object:
    """The body that makes one link in one request; ``amount`` in Stripe's smallest unit (docs/facts/stripe.md)."""
    return {
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": currency.lower(),
                    "unit_amount": amount,
                    "product_data": {"name": name},
                },
            }
        ],
        "payment_method_types": ["card"],
        "restrictions": {"completed_sessions": {"limit": 1}},
        "metadata": dict(metadata),
        "payment_intent_data": {"metadata": dict(metadata)},
        "submit_type": "pay",
        "inactive_message": inactive_message,
    }
