"""Failing as Stripe and the network fail, on demand and repeatably.

Stripe's documentation asks for exactly these to be survived: lost answers (/error-low-level), saved 500s
(/api/idempotent_requests), 429s with and without a reason (/rate-limits).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, field, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class FaultKind(StrEnum):
    """What goes wrong, and whether the request has had its effect by then."""

    DROP = "drop"
    """No effect; the connection closes without an answer."""
    ERROR = "error"
    """No effect; answers `status` (500, 502, 503). Not kept under the idempotency key: the endpoint never began."""
    KEPT_ERROR = "kept_error"
    """No effect; answers `status`, kept under the idempotency key, so every retry gets it again."""
    GARBLED = "garbled"
    """No effect; a gateway's HTML page with `status` instead of JSON."""
    FOREIGN = "foreign"
    """An answer that isn't Stripe's, as a gateway or proxy gives it: `status`, `body`, `content_type`. No effect, or with
    `after` the effect took place and only its answer was lost on the way."""
    CODED = "coded"
    """No effect; an error of Stripe's own with `status` and `code`, not kept under the key. Rate limits were once a 400
    with code rate_limit, and the SDK still reads them (stripe._api_requestor, handle_error_response)."""
    RATE_LIMIT = "rate_limit"
    """No effect; 429 with Stripe-Rate-Limited-Reason. Before the idempotency layer."""
    LOCK_TIMEOUT = "lock_timeout"
    """No effect; 429 with code lock_timeout and no reason header."""
    SLOW = "slow"
    """Waits `seconds` first (the idempotency key is in use meanwhile), then has its effect and answers."""
    LOST = "lost"
    """Has its effect, keeps the answer under the key, then closes the connection."""
    TRUNCATED = "truncated"
    """Has its effect, keeps the answer, sends half of it and closes the connection."""
    DONE_ERROR = "done_error"
    """Has its effect but answers `status`, and keeps that under the key."""
    LATE = "late"
    """Has its effect at once, keeps the answer, sends it after `seconds`."""


@dataclass(slots=True)
class Fault:
    """One fault and the requests it meets.

    `method` and `path` are shell patterns over the request ("POST", "/v1/payment_links*"). The first `skip` matching
    requests pass, then `times` of them fail (None: all of them), each with `probability`. `headers` are added to the
    answer, whatever it is: `{"Stripe-Should-Retry": "true"}` (/error-low-level, and stripe._http_client).
    """

    kind: FaultKind
    method: str = "*"
    path: str = "/v1/*"
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    status: int = 500
    seconds: float = 0.0
    """Of SLOW and LATE, which end sooner if the fault is removed: `math.inf` waits for that."""
    body: str = '{"error": "bad gateway"}'
    content_type: str = "application/json"
    after: bool = False
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    fired: int = 0
    _removed: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    def __post_init__(self) -> None:
        self.kind = FaultKind(self.kind)

    async def wait(self) -> None:
        """Lets the time pass by which this fault delays a request."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._removed.wait(), self.seconds)

    def end(self) -> None:
        """Whom it delays is delayed no longer."""
        self._removed.set()

    def as_json(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self) if one.init}

    def meets(self, method: str, path: str) -> bool:
        return fnmatchcase(method, self.method) and fnmatchcase(path, self.path)


@dataclass(slots=True)
class Faults:
    """The faults in force, in order: the first one that meets a request and fires decides."""

    seed: int = 0
    active: list[Fault] = field(default_factory=list)
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatability, not secrecy

    def add(self, kind: FaultKind | str, **rule: Any) -> Fault:
        """Puts a fault in force; the keywords are Fault's fields. Returns it, so that `fired` can be read."""
        fault = Fault(FaultKind(kind), **rule)
        self.active.append(fault)
        return fault

    def outage(self) -> Fault:
        """The API is away: every connection to it is closed without an answer until `clear` or `remove`. Buyers' pages
        go on, so that payments can be made that nobody hears of yet."""
        return self.add(FaultKind.DROP, times=None, path="*")

    def remove(self, fault: Fault) -> None:
        self.active.remove(fault)
        fault.end()

    def clear(self) -> None:
        for fault in [*self.active]:
            self.remove(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request suffers, used up by one; None if it passes unharmed."""
        for fault in self.active:
            if not fault.meets(method, path) or fault.times == 0:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.probability < 1.0 and self._random.random() >= fault.probability:
                continue
            if fault.times is not None:
                fault.times -= 1
            fault.fired += 1
            return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        return [fault.as_json() for fault in self.active]
