"""Rate limits: when a call is refused with 429, and for how long (Slack docs: apis/web-api/rate-limits)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from sandbox.slack.state.settings import Limits

HISTORY_RESTRICTED_A_MINUTE = 1


class Pacing:
    """Counts calls for each workspace: messages for each channel in a bucket that refills, others in a sliding minute."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}
        self._minutes: dict[tuple[str, str], deque[float]] = {}

    def refuse(self, team: str, method: str, channel: str) -> int | None:
        """Retry-After in whole seconds, or None if the call may go on (and is counted)."""
        if method == "chat.postMessage":
            waiting = self._message(team, channel)
            if waiting is not None:
                return waiting
        allowed = (self._limits.calls_per_minute or {}).get(method)
        if method == "conversations.history" and self._limits.history_is_restricted:
            allowed = HISTORY_RESTRICTED_A_MINUTE
        return None if allowed is None else self._call(team, method, allowed)

    def _message(self, team: str, channel: str) -> int | None:
        now, rate, burst = self._clock(), self._limits.messages_per_second, self._limits.message_burst
        left, at = self._buckets.get((team, channel), (float(burst), now))
        left = min(float(burst), left + (now - at) * rate)
        if left < 1:
            return max(1, math.ceil((1 - left) / rate))
        self._buckets[team, channel] = (left - 1, now)
        return None

    def _call(self, team: str, method: str, allowed: int) -> int | None:
        now = self._clock()
        recent = self._minutes.setdefault((team, method), deque())
        while recent and recent[0] <= now - 60:
            recent.popleft()
        if len(recent) >= allowed:
            return max(1, math.ceil(recent[0] + 60 - now))
        recent.append(now)
        return None
