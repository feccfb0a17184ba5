"""How often one person may do in a short time what costs Stripe's patience or much of a processor.

Kept in memory, by each process for itself: it is no rule of the business, it keeps one person from holding up the others. A program
has the pace of the API instead.
"""

from collections import deque
from datetime import datetime, timedelta
from enum import Enum

from domain.errors import TooOften
from domain.summaries import Actor


class Costly(Enum):
    """How often, and within what time."""

    RECHECK = (30, timedelta(minutes=1))
    """Three requests to Stripe at most, of the 25 a second that everybody shares."""
    EXPORT = (20, timedelta(minutes=10))
    """Up to a million rows."""
    IMPORT = (30, timedelta(minutes=10))
    """A file of up to 10 MB that is read, kept and compared."""
    CONNECT = (10, timedelta(minutes=10))
    """Nine requests to Stripe, with a key that may be anybody's."""


# So many people who do something costly at one time: those who were first are forgotten, which lets them do more.
_MOST_PEOPLE = 10_000


class Allowances:
    def __init__(self) -> None:
        self._done: dict[tuple[str, str, Costly], deque[datetime]] = {}

    def spend(self, actor: Actor, costly: Costly, *, now: datetime) -> None:
        """Raises TooOften, and doesn't count, once it has been done too often."""
        if actor.is_program:
            return
        most, within = costly.value
        key = (actor.team_id, actor.user_id, costly)
        done = self._done.pop(key, None) or deque(maxlen=most)
        self._done[key] = done
        if len(self._done) > _MOST_PEOPLE:
            del self._done[next(iter(self._done))]
        if len(done) == most and now - done[0] < within:
            raise TooOften(done[0] + within - now)
        done.append(now)
