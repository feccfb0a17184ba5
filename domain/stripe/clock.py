"""Stripe's time, as its answers tell it: what is compared with Stripe's time is never this machine's."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# A Date is cut off to the second, and an answer takes its time: so little is no difference.
NOTHING = timedelta(seconds=2)


class StripeClock:
    """Stripe's clock by this machine's: ``ahead`` is by how much Stripe's is ahead of it, nothing until it has answered."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return self._clock() + self.ahead

    def hear(self, headers: Mapping[str, str]) -> None:
        """Compare with the Date of an answer that has just come."""
        told = next((value for name, value in headers.items() if name.lower() == "date"), None)
        try:
            date = parsedate_to_datetime(told) if told else None
        except ValueError:
            date = None
        if date is None or date.tzinfo is None:
            return
        ahead = date - self._clock()
        self.ahead = ahead if abs(ahead) > NOTHING else timedelta(0)


def utc_now() -> datetime:
    return datetime.now(UTC)
