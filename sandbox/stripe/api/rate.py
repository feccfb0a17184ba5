"""Rate limits (/rate-limits): requests a second, for the account and for each endpoint, counted in real time.

Stripe counts live requests to 100 a second and sandbox ones to 25, and 25 for each endpoint. How its windows lie is
undocumented; here any second counts, which no bursting client survives.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

from sandbox.stripe.errors import ApiError, rate_limited


@dataclass
class RateLimits:
    """Most requests in any `window` seconds; None switches a limit off."""

    live: int | None = 100
    test: int | None = 25
    endpoint: int | None = 25
    window: float = 1.0


@dataclass
class RateCounter:
    """Counts the requests of one account in one mode. A refused request counts for nothing."""

    limits: RateLimits
    livemode: bool
    _arrivals: defaultdict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def refusal(self, endpoint: str, at: float) -> ApiError | None:
        """Takes a request that came `at` (monotonic seconds), or says why not."""
        most = self.limits.live if self.livemode else self.limits.test
        for name, limit, reason in (
            (endpoint, self.limits.endpoint, "endpoint-rate"),
            ("", most, "global-rate"),
        ):
            arrivals = self._arrivals[name]
            while arrivals and arrivals[0] <= at - self.limits.window:
                arrivals.popleft()
            if limit is not None and len(arrivals) >= limit:
                return rate_limited(reason)
        self._arrivals[endpoint].append(at)
        self._arrivals[""].append(at)
        return None
