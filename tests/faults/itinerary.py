"""At which points processes are made to die, one after the other, so that each is reached in the end."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LONGER_AT_MOST = 5


@dataclass(frozen=True)
class Stop:
    """A life that is to end at the ``times``-th passing of ``point``, or after ``life`` seconds."""

    point: str
    times: int
    life: float


class Itinerary:
    """Every point in turn, ``first`` those; those that no process reached come again sooner, with longer to live each time."""

    def __init__(
        self,
        points: Sequence[str],
        passings: Sequence[int],
        life: float,
        rng: random.Random,
        first: Sequence[str] = (),
    ) -> None:
        self._points = points
        self._first = frozenset(first)
        self._passings = passings
        self._life = life
        self._random = rng
        self._reached: set[str] = set()
        self._missed: Counter[str] = Counter()
        self._round: list[str] = []

    def next(self) -> Stop:
        if not self._round:
            # All of them again only once each was reached: rare ones would drown among them. Later passings come then.
            self._round = [point for point in self._points if point not in self._reached]
            self._round = self._round or list(self._points)
            self._random.shuffle(self._round)
            # Taken from the end.
            self._round.sort(key=self._first.__contains__)
        point = self._round.pop()
        missed = self._missed[point]
        times = self._random.choice(self._passings) if point in self._reached else 1
        return Stop(point, times, self._life * min(1 + missed, LONGER_AT_MOST))

    def tell(self, stop: Stop, *, reached: bool) -> None:
        """What came of it."""
        if reached:
            self._reached.add(stop.point)
            self._missed[stop.point] = 0
        else:
            self._missed[stop.point] += 1
