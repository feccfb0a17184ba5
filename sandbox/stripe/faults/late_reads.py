"""Objects that are read later than they are: Stripe tells of a change, and its API doesn't show it yet.

That events and objects may disagree for a moment is why Stripe says to fetch the object, and again if need be
(/webhooks#event-ordering); how long, and whether as an old state or as a 404, is undocumented, so both can be had.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sandbox.stripe.errors import missing

Json = dict[str, Any]


@dataclass(slots=True)
class LateRead:
    """A rule for one object (its id) or for each of a kind ("checkout.session", "charge", "refund", "dispute", ...).

    how "missing": 404. "stale": the object as it was when the rule came, or when it was made.
    Each object suffers it `times` reads (None: all) or, if they are given, for `seconds` of Stripe's time after its next
    change; with both, whichever ends first. Reads that would show the same anyway don't count. `lists`: lists suffer it too.
    """

    what: str
    how: Literal["missing", "stale"]
    times: int | None = 1
    seconds: float | None = None
    lists: bool = False
    fired: int = 0
    left: dict[str, int] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    """By object id, as JSON."""
    changed: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.how not in ("missing", "stale"):
            raise ValueError(f"a read is missing or stale, not {self.how}")

    def meets(self, item: Json) -> bool:
        return self.what in (item["object"], item["id"])


@dataclass
class LateReads:
    """The rules in force; the first one that an object suffers decides."""

    objects: Callable[[str], Iterable[Json]] = lambda what: ()
    """All objects that a rule's `what` means."""
    rules: list[LateRead] = field(default_factory=list)

    def missing(self, what: str, **rule: Any) -> LateRead:
        """Puts a rule in force; the keywords are LateRead's. Returns it, so that `fired` can be read."""
        return self.add("missing", what, **rule)

    def stale(self, what: str, **rule: Any) -> LateRead:
        return self.add("stale", what, **rule)

    def add(self, how: Literal["missing", "stale"], what: str, **rule: Any) -> LateRead:
        late = LateRead(what, how, **({"times": None} if "seconds" in rule else {}) | rule)
        for item in self.objects(what):
            late.before[item["id"]] = json.dumps(item)
        self.rules.append(late)
        return late

    def clear(self) -> None:
        self.rules.clear()

    def added(self, item: Json) -> None:
        """The object is new."""
        for rule in self.rules:
            if rule.meets(item):
                rule.before[item["id"]] = json.dumps(item)

    def recorded(self, item: Json, now: float) -> None:
        """An event tells of the object."""
        for rule in self.rules:
            if rule.meets(item):
                rule.changed.setdefault(item["id"], now)

    def read(self, item: Json, now: float, *, param: str) -> Json:
        """What a request for the object gets; raises Stripe's resource_missing."""
        for rule in self.rules:
            if (shown := self._suffered(rule, item, now)) is not item:
                if shown is None:
                    raise missing(item["object"], item["id"], param)
                return shown
        return item

    def listed(self, items: Iterable[Json], now: float) -> Iterable[Json]:
        """What a list shows of them."""
        if not any(rule.lists for rule in self.rules):
            return items
        return (shown for item in items if (shown := self._in_list(item, now)) is not None)

    def _in_list(self, item: Json, now: float) -> Json | None:
        for rule in self.rules:
            if rule.lists and (shown := self._suffered(rule, item, now)) is not item:
                return shown
        return item

    def _suffered(self, rule: LateRead, item: Json, now: float) -> Json | None:
        """The object itself if the rule doesn't touch it (any more)."""
        if not rule.meets(item):
            return item
        object_id = item["id"]
        since = rule.changed.get(object_id)
        if rule.seconds is not None and since is not None and now >= since + rule.seconds:
            return item
        shown = None
        if rule.how == "stale":
            shown = json.loads(rule.before.get(object_id, "null"))
            if shown is None or shown == item:
                return item
        if rule.times is not None:
            left = rule.left.setdefault(object_id, rule.times)
            if left == 0:
                return item
            rule.left[object_id] = left - 1
        rule.fired += 1
        return shown

    def as_json(self) -> list[Json]:
        return [
            {name: value for name, value in asdict(rule).items() if name not in ("before", "changed")}
            for rule in self.rules
        ]
