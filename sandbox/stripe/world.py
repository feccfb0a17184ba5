"""What one Stripe account holds in one mode, and finding it again: kept as Stripe's own JSON objects."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe.api.idempotency import IdempotencyKeys
from sandbox.stripe.errors import missing
from sandbox.stripe.events.log import EventLog
from sandbox.stripe.faults.late_reads import LateReads

Json = dict[str, Any]

KINDS = {
    "plink": "payment_link",
    "cs": "checkout.session",
    "pi": "payment_intent",
    "ch": "charge",
    "re": "refund",
    "du": "dispute",
    "prod": "product",
    "price": "price",
    "we": "webhook_endpoint",
}
"""Which kind an id belongs to, by its prefix."""


class Shelf:
    """All objects of one kind in the order of their creation; newest-first pages start anywhere in constant time."""

    def __init__(self) -> None:
        self._objects: list[Json] = []
        self._place: dict[str, int] = {}

    def add(self, item: Json) -> None:
        self._place[item["id"]] = len(self._objects)
        self._objects.append(item)

    def remove(self, object_id: str) -> None:
        """Cursors on what came after it move with it."""
        del self._objects[self._place[object_id]]
        self._place = {item["id"]: place for place, item in enumerate(self._objects)}

    def find(self, object_id: str) -> Json | None:
        place = self._place.get(object_id)
        return None if place is None else self._objects[place]

    def place(self, object_id: str) -> int | None:
        return self._place.get(object_id)

    def __iter__(self) -> Iterator[Json]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    def newest_first(self, before: int | None = None) -> Iterator[Json]:
        """From the newest, or from the one just older than the place `before`."""
        for place in range((len(self._objects) if before is None else before) - 1, -1, -1):
            yield self._objects[place]

    def oldest_first(self, after: int) -> Iterator[Json]:
        for place in range(after + 1, len(self._objects)):
            yield self._objects[place]


@dataclass
class World:
    """One account's objects in one mode. Objects are mutable and shared; whoever hands them out copies them."""

    account: str
    livemode: bool
    events: EventLog
    late: LateReads = field(default_factory=LateReads)
    idempotency: IdempotencyKeys = field(default_factory=IdempotencyKeys)
    shelves: dict[str, Shelf] = field(default_factory=lambda: {kind: Shelf() for kind in KINDS.values()})
    line_items: dict[str, list[Json]] = field(default_factory=dict)
    """By payment link id; a session shows its link's."""
    link_ids: dict[str, str] = field(default_factory=dict)
    """Payment link ids by the code at the end of their URL."""
    secrets: dict[str, list[str]] = field(default_factory=dict)
    """Signing secrets by webhook endpoint id."""
    payloads: dict[str, str] = field(default_factory=dict)
    """By webhook endpoint id: "snapshot", "thin" or "both" (as two destinations with one address would be)."""
    _due: list[tuple[int, str]] = field(default_factory=list)

    def add(self, item: Json) -> Json:
        self.shelves[item["object"]].add(item)
        self.late.added(item)
        if item["object"] == "payment_link":
            self.link_ids[item["url"].rpartition("/")[2]] = item["id"]
        elif item["object"] == "checkout.session" and item["status"] == "open":
            heapq.heappush(self._due, (item["expires_at"], item["id"]))
        return item

    def remove(self, endpoint: Json) -> None:
        """A webhook endpoint, with its secrets: nothing else can be deleted."""
        self.shelves[endpoint["object"]].remove(endpoint["id"])
        self.secrets.pop(endpoint["id"], None)
        self.payloads.pop(endpoint["id"], None)

    def find(self, object_id: str) -> Json | None:
        kind = KINDS.get(object_id.partition("_")[0])
        return None if kind is None else self.shelves[kind].find(object_id)

    def get(
        self, kind: str, object_id: str, *, param: str, other: World | None = None, status: int = 404
    ) -> Json:
        """The object itself; raises Stripe's resource_missing, which tells when the other mode has it."""
        item = self.shelves[kind].find(object_id)
        if item is not None:
            return item
        elsewhere = other is not None and other.shelves[kind].find(object_id) is not None
        mode = None if not elsewhere else "test" if self.livemode else "live"
        raise missing(kind, object_id, param, other_mode=mode, status=status)

    def payloads_of(self, endpoint: str) -> tuple[str, ...]:
        kept = self.payloads.get(endpoint, "snapshot")
        return ("snapshot", "thin") if kept == "both" else (kept,)

    def due_sessions(self, now: int) -> Iterator[Json]:
        """Open sessions whose 24 hours are over, each once."""
        while self._due and self._due[0][0] <= now:
            item = self.shelves["checkout.session"].find(heapq.heappop(self._due)[1])
            if item is not None and item["status"] == "open":
                yield item

    def as_json(self) -> Json:
        return {
            "account": self.account,
            "livemode": self.livemode,
            "objects": {kind: list(shelf) for kind, shelf in self.shelves.items()},
            "line_items": self.line_items,
            "secrets": self.secrets,
            "payloads": self.payloads,
            "events": self.events.as_json(),
            "idempotency": self.idempotency.as_json(),
        }

    def load(self, saved: Json, *, public_url: str) -> None:
        """What `as_json` gave; pages move with the server's address."""
        for items in saved["objects"].values():
            for item in items:
                for folder in ("/pay/", "/checkout/"):
                    if item["object"] in ("payment_link", "checkout.session") and folder in (
                        item["url"] or ""
                    ):
                        item["url"] = public_url + folder + item["url"].rpartition("/")[2]
                self.add(item)
        self.line_items = saved["line_items"]
        self.secrets = saved["secrets"]
        self.payloads = saved.get("payloads", {})
        self.events.load(saved["events"])
        self.idempotency.load(saved["idempotency"])
