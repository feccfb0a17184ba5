"""The account's events: what happened, seen a little late and in no promised order (/api/events, /webhooks#event-ordering).

Events are kept for 30 days (/api/events/list) and rendered in the account's API version, not the request's
(/webhooks/versioning).
"""

from __future__ import annotations

import json
import random
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.local.stripe import shapes

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


@dataclass
class EventLog:
    livemode: bool
    rules: EventRules
    random: random.Random
    announce: Callable[[Json], None] = lambda event: None
    """Called with each new event: where webhooks begin."""
    _by_id: dict[str, Json] = field(default_factory=dict)
    _visible_at: dict[str, float] = field(default_factory=dict)
    _order: list[tuple[int, float, str]] = field(default_factory=list)
    """(created, rank within the second, id), ascending."""

    def record(
        self, kind: str, item: Json, *, now: float, cause: Json | None = None, previous: Json | None = None
    ) -> None:
        """Something happened to `item`, whose present state the event keeps for ever."""
        payload = json.dumps(item)
        copies = 2 if self.random.random() < self.rules.duplicate else 1
        for _ in range(copies):
            event = shapes.event(
                kind=kind,
                payload=rendered(json.loads(payload), self.rules.api_version),
                previous=previous,
                created=int(now),
                cause=cause,
                version=self.rules.api_version,
                livemode=self.livemode,
            )
            self._keep(event, visible_at=now + self.random.uniform(*self.rules.delay))
            self.announce(event)

    def _keep(self, event: Json, *, visible_at: float) -> None:
        rank = self.random.random() if self.rules.shuffle else float(len(self._by_id))
        self._by_id[event["id"]] = event
        self._visible_at[event["id"]] = visible_at
        insort(self._order, (event["created"], rank, event["id"]))

    def find(self, event_id: str, *, now: float) -> Json | None:
        """An event that is already visible and not yet 30 days old."""
        event = self._by_id.get(event_id)
        return event if event is not None and self._shows(event, now) else None

    def newest_first(self, *, now: float, before: str | None = None) -> Iterator[Json]:
        """From the newest, or from the one just older than `before`."""
        for _, _, event_id in reversed(self._order[: self._index(before) if before else len(self._order)]):
            event = self._by_id[event_id]
            if event["created"] <= now - KEPT_SECONDS:
                return
            if self._visible_at[event_id] <= now:
                yield event

    def oldest_first(self, *, now: float, after: str) -> Iterator[Json]:
        for _, _, event_id in self._order[self._index(after) + 1 :]:
            event = self._by_id[event_id]
            if self._shows(event, now):
                yield event

    def all(self) -> list[Json]:
        return [self._by_id[event_id] for _, _, event_id in self._order]

    def _shows(self, event: Json, now: float) -> bool:
        return event["created"] > now - KEPT_SECONDS and self._visible_at[event["id"]] <= now

    def _index(self, event_id: str) -> int:
        place = bisect_left(self._order, (self._by_id[event_id]["created"],))
        while self._order[place][2] != event_id:
            place += 1
        return place

    def as_json(self) -> list[Json]:
        return [
            {"event": self._by_id[event_id], "visible_at": self._visible_at[event_id], "rank": rank}
            for _, rank, event_id in self._order
        ]

    def load(self, saved: list[Json]) -> None:
        for entry in saved:
            event = entry["event"]
            self._by_id[event["id"]] = event
            self._visible_at[event["id"]] = entry["visible_at"]
            insort(self._order, (event["created"], entry["rank"], event["id"]))


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
