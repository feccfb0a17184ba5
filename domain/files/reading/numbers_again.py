"""Which numbers a file says more than once, found with a fixed amount of memory however long it is."""

from array import array
from collections.abc import Iterable

_BITS = 27
"""Of the marks that a number leaves: 16 MiB for all of them. At a million numbers, none is taken for another one."""
_MASK = (1 << _BITS) - 1
_MARKS = 4
MANY = 100_000
"""So many numbers that come again are kept in memory; of more, each number is looked up."""
MOST_RISING = 1_000_000
"""So many are remembered before they are marked, in half the memory of the marks."""
TOGETHER = 100
"""So many records of one number that follow each other are held in memory."""


class NumbersAgain:
    """The numbers that come again, and perhaps some that don't, with a fixed amount of memory.

    Each leaves marks among 2**27 bits; whoever finds all of its own has perhaps come before. A few records of one number
    that follow each other count as one: of them ``together`` tells. As long as each number is above the one before, as
    programs count, none can come again: they are only remembered, and marked once that has an end.
    """

    def __init__(self) -> None:
        self._bits = bytearray()
        self._rising = array("q")
        self._highest = ""
        self._hashes: set[int] = set()
        self._all = False
        self._last = ""
        self._run = 0
        self.together = False
        """Whether any number's records follow each other."""

    @classmethod
    def among(cls, keys: Iterable[str]) -> "NumbersAgain":
        found = cls()
        for key in keys:
            found.see(key)
        return found.closed()

    def closed(self) -> "NumbersAgain":
        """The same, once all were seen: without the marks, which are no longer needed."""
        self._bits, self._rising = bytearray(), array("q")
        return self

    @property
    def any(self) -> bool:
        return self._all or bool(self._hashes)

    def see(self, key: str) -> None:
        """The key of each record, in their order; a blank one of a record that has none."""
        if key == self._last:
            self._run += 1
            self.together = self.together or bool(key)
            if key and self._run > TOGETHER:
                self._add(hash(key))
            return
        self._last, self._run = key, 1
        if not key:
            return
        if self._bits:
            self._mark(hash(key))
        elif self._is_above(key) and len(self._rising) < MOST_RISING:
            self._highest = key
            self._rising.append(hash(key))
        else:
            self._bits = bytearray(1 << (_BITS - 3))
            for hashed in self._rising:
                self._mark(hashed)
            self._rising = array("q")
            self._mark(hash(key))

    def _is_above(self, key: str) -> bool:
        highest = self._highest
        return len(key) > len(highest) or (len(key) == len(highest) and key > highest)

    def _mark(self, hashed: int) -> None:
        """``hashed`` is of this process alone: nobody outside can choose numbers that meet."""
        bits, at, step, before = self._bits, hashed & _MASK, (hashed >> _BITS) | 1, True
        for _ in range(_MARKS):
            place, bit = at >> 3, 1 << (at & 7)
            if not bits[place] & bit:
                before = False
                bits[place] |= bit
            at = (at + step) & _MASK
        if before:
            self._add(hashed)

    def _add(self, hashed: int) -> None:
        if not self._all:
            self._hashes.add(hashed)
            if len(self._hashes) > MANY:
                self._all = True
                self._hashes.clear()

    def __contains__(self, key: str) -> bool:
        return key != "" and (self._all or hash(key) in self._hashes)
