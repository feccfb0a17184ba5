"""What a key may not read: each kind of thing is asked for by itself and ever more seldom, and holds up none of the others."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from domain.payments.event_reading import (
    CHARGE_TYPE,
    DISPUTE_TYPES,
    LINK_TYPES,
    REFUND_TYPES,
    SESSION_TYPES,
)
from domain.states import PauseReason
from domain.summaries import Pause

# Seconds. The hourly sweep asks too, so what the operator mends is noticed sooner than after the longest.
FIRST_PAUSE, LONGEST_PAUSE = 15.0, 6 * 3600.0


class Thing(StrEnum):
    """What a key may or may not read."""

    EVENTS = "events"
    SESSIONS = "sessions"
    REFUNDS = "refunds"
    DISPUTES = "disputes"
    LINKS = "links"


TYPES_OF: dict[Thing, tuple[str, ...]] = {
    Thing.SESSIONS: SESSION_TYPES,
    Thing.REFUNDS: (CHARGE_TYPE, *REFUND_TYPES),
    Thing.DISPUTES: DISPUTE_TYPES,
    Thing.LINKS: LINK_TYPES,
}
"""The types of the events that are about it."""
# Without them no payment is seen, which people are told; without the others some badges aren't.
_NEEDED = (Thing.EVENTS, Thing.SESSIONS)


def thing_of(event_type: str) -> Thing:
    return next(thing for thing, types in TYPES_OF.items() if event_type in types)


@dataclass
class _Refusal:
    permission: str | None
    pause: float
    until: float
    asked: bool = False
    """Somebody asks now whether it is over."""


class Permissions:
    """What one process knows of what its key may read. Times are the loop's."""

    def __init__(self) -> None:
        self._refused: dict[Thing, _Refusal] = {}
        self._allowed: set[Thing] = set()

    def is_refused(self, thing: Thing) -> bool:
        return thing in self._refused

    def may_ask(self, thing: Thing) -> bool:
        """Whether it is time to ask for it. Whoever is told so asks for all: the others wait for what comes of it."""
        refusal = self._refused.get(thing)
        if refusal is None:
            return True
        now = asyncio.get_running_loop().time()
        if now < refusal.until:
            return False
        refusal.asked, refusal.until = True, now + refusal.pause
        return True

    def seconds_left(self, thing: Thing) -> float:
        """Until it may be asked for again."""
        refusal = self._refused.get(thing)
        return 0.0 if refusal is None else max(refusal.until - asyncio.get_running_loop().time(), 0.0)

    def refuse(self, thing: Thing, permission: str | None) -> None:
        """Stripe refused it for lack of this permission, if it named one."""
        self._allowed.discard(thing)
        known = self._refused.get(thing)
        if known is not None and not known.asked:
            # Of several that were under way together, only the first tells something.
            return
        pause = FIRST_PAUSE if known is None else min(2 * known.pause, LONGEST_PAUSE)
        until = asyncio.get_running_loop().time() + pause
        self._refused[thing] = _Refusal(permission, pause, until)

    def allow(self, thing: Thing) -> bool:
        """Stripe showed it; whether that is news, so that what waits for it needn't wait longer."""
        if thing in self._allowed:
            return False
        self._refused.pop(thing, None)
        self._allowed.add(thing)
        return True

    @property
    def lack(self) -> Pause | None:
        """Why no payment is seen, if that is for lack of a permission."""
        refusal = next((self._refused[thing] for thing in _NEEDED if thing in self._refused), None)
        return None if refusal is None else Pause(PauseReason.PERMISSION_LACKING, refusal.permission)
