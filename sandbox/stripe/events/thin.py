"""Thin events: that something happened to an object, and which; the object itself has to be asked for.

/event-destinations#thin-events, /webhooks/migrate-snapshot-to-thin-events: an event of v1 resources has a thin version,
named "v1." and its type, whose `snapshot_event` is the other one's id. Keys by stripe.v2.core.Event and
stripe.v2.core.RelatedObject. That both ids can be told from each other is ours; Stripe's have nothing in common.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sandbox.stripe.events.log import Entry

Json = dict[str, Any]
PREFIX = "v1."
SNAPSHOT_ID, THIN_ID = "evt_1", ("evt_test_65", "evt_65")
URLS = {
    "payment_link": "/v1/payment_links/",
    "checkout.session": "/v1/checkout/sessions/",
    "payment_intent": "/v1/payment_intents/",
    "charge": "/v1/charges/",
    "refund": "/v1/refunds/",
    "dispute": "/v1/disputes/",
    "product": "/v1/products/",
    "price": "/v1/prices/",
}


def thin(entry: Entry) -> Json:
    """As it is delivered, and as /v2/core/events/{id} shows it. No `data`, and times as text, as in all of v2."""
    head, item = entry.head, json.loads(entry.payload)
    cause = head["request"]
    created = datetime.fromtimestamp(head["created"], UTC)
    return {
        "id": THIN_ID[head["livemode"]] + head["id"].removeprefix(SNAPSHOT_ID),
        "object": "v2.core.event",
        "type": PREFIX + head["type"],
        "livemode": head["livemode"],
        "created": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "context": None,
        "reason": None if cause["id"] is None else {"type": "request", "request": cause},
        "related_object": {
            "id": item["id"],
            "type": item["object"],
            "url": URLS[item["object"]] + item["id"],
        },
        "snapshot_event": head["id"],
    }


def snapshot_id(event_id: str) -> str:
    """Of the event that this thin one is the other version of; an id of no thin event becomes one of no event."""
    for prefix in THIN_ID:
        if event_id.startswith(prefix):
            return SNAPSHOT_ID + event_id.removeprefix(prefix)
    return ""
