"""The account's events: what happened, seen a little late and in no promised order (/api/events, /webhooks#event-ordering).

Events are kept for 30 days (/api/events/list) and rendered in the account's API version, not the request's
(/webhooks/versioning).
"""

from __future__ import annotations

import json
import random
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.stripe.objects import shapes

Json = dict[str, Any]
KEPT_SECONDS = 30 * 24 * 3600
API_VERSION = "2026-10-28.endive"
BASIL = "2025-03-31.basil"


@dataclass
class EventRules:
    """How events reach their readers. `delay`: seconds until an event is listed, drawn between the two. `shuffle`: events
    of the same second are listed in any order. `duplicate`: chance that a fact yields two events with different ids
    (/webhooks#handle-duplicate-events). `api_version`: the account's default version."""

    delay: tuple[float, float] = (0.0, 0.0)
    shuffle: bool = False
    duplicate: float = 0.0
    api_version: str = API_VERSION


@dataclass(slots=True)
class Entry:
    """An event and its place. `head` is the event without its object, whose text is kept as it was: half a gigabyte of
    dicts for 10,000 payments becomes a tenth of it."""

    head: Json
    payload: str
    visible_at: float
    rank: float

    def place(self) -> tuple[int, float, str]:
        return self.head["created"], self.rank, self.head["id"]

    def shown(self) -> Json:
        """The event as Stripe shows it."""
        return self.head | {"data": {"object": json.loads(self.payload)} | self.head["data"]}


@dataclass
class EventLog:
    livemode: bool
    rules: EventRules
    random: random.Random
    announce: Callable[[Entry], None] = lambda entry: None
    """Called with each new event: where webhooks begin."""
    _by_id: dict[str, Entry] = field(default_factory=dict)
    _order: list[tuple[int, float, str]] = field(default_factory=list)
    """The places of all entries, ascending."""

    def record(
        self, kind: str, item: Json, *, now: float, cause: Json | None = None, previous: Json | None = None
    ) -> None:
        """Something happened to `item`, whose present state the event keeps for ever."""
        version = self.rules.api_version
        payload = json.dumps(item)
        if version < BASIL:
            payload = json.dumps(rendered(json.loads(payload), version))
        for _ in range(2 if self.random.random() < self.rules.duplicate else 1):
            head = shapes.event(
                kind=kind,
                previous=previous,
                created=int(now),
                cause=cause,
                version=version,
                livemode=self.livemode,
            )
            rank = self.random.random() if self.rules.shuffle else float(len(self._by_id))
            entry = Entry(head, payload, now + self.random.uniform(*self.rules.delay), rank)
            self._keep(entry)
            self.announce(entry)

    def _keep(self, entry: Entry) -> None:
        self._by_id[entry.head["id"]] = entry
        insort(self._order, entry.place())

    def find(self, event_id: str, *, now: float) -> Entry | None:
        """An event that is already visible and not yet 30 days old."""
        entry = self._by_id.get(event_id)
        return entry if entry is not None and self._shows(entry, now) else None

    def newest_first(self, *, now: float, before: Entry | None = None, since: int = 0) -> Iterator[Entry]:
        """From the newest, or from the one just older than `before`, to the last that was created at `since`."""
        oldest = max(now - KEPT_SECONDS, since - 1)
        for index in range(self._index(before, len(self._order)) - 1, -1, -1):
            entry = self._by_id[self._order[index][2]]
            if entry.head["created"] <= oldest:
                return
            if entry.visible_at <= now:
                yield entry

    def oldest_first(self, *, now: float, after: Entry) -> Iterator[Entry]:
        for index in range(self._index(after, 0) + 1, len(self._order)):
            entry = self._by_id[self._order[index][2]]
            if self._shows(entry, now):
                yield entry

    def all(self) -> list[Entry]:
        return [self._by_id[event_id] for _, _, event_id in self._order]

    def _shows(self, entry: Entry, now: float) -> bool:
        return bool(entry.head["created"] > now - KEPT_SECONDS) and entry.visible_at <= now

    def _index(self, entry: Entry | None, otherwise: int) -> int:
        return otherwise if entry is None else bisect_left(self._order, entry.place())

    def as_json(self) -> list[Json]:
        return [asdict(entry) for entry in self.all()]

    def load(self, saved: list[Json]) -> None:
        for entry in saved:
            self._keep(Entry(**entry))


def rendered(item: Json, version: str) -> Json:
    """The object as an older API version shows it. Not the whole of Stripe's changelog: enough of it that whoever reads
    an event's object instead of fetching it by id finds keys gone and values renamed (/changelog, Basil)."""
    if version >= BASIL:
        return item
    for newer in (
        "presentment_details",
        "adaptive_pricing",
        "payment_method_configuration_details",
        "managed_payments",
    ):
        item.pop(newer, None)
    if item.get("ui_mode") == "hosted_page":
        item["ui_mode"] = "hosted"
    if version < "2022-11-15" and item["object"] == "payment_intent":
        item["charges"] = {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/charges?payment_intent={item['id']}",
        }
        item.pop("latest_charge", None)
    return item
