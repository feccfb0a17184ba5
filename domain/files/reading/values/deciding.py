"""Which decimal sign a file has, and which order of day and month: decided for all of its records, or not at all.

What decides is a value that one reading excludes. Nothing else counts, not even the program that wrote the file: it
writes as its user's region does.
"""

import re
from dataclasses import dataclass

from domain.files.import_fields import shown
from domain.files.reading.maps import DECIMAL_SIGNS
from domain.files.reading.records import Exact
from domain.files.reading.values.amounts import in_major_units, take_apart
from domain.files.reading.values.dates import days

DECIMAL_SIGN = "decimal_sign"
DATE_ORDER = "date_order"
# What can't contradict what was seen before: looked at no further.
_SURE = {
    ".": re.compile(r"-?[0-9]{1,3}(?:,?[0-9]{3})*\.[0-9]{1,2}"),
    ",": re.compile(r"-?[0-9]{1,3}(?:\.?[0-9]{3})*,[0-9]{1,2}"),
}


@dataclass(frozen=True)
class Doubt:
    """What the file doesn't say: a field of FileMap, and the readings of one example by what could be said for it.

    ``others`` is the line of a record that says something else than the example's, where records contradict each other.
    """

    what: str
    line: int
    example: str
    readings: tuple[tuple[str, str], ...]
    others: int = 0


@dataclass
class _Evidence:
    """By reading: the line and text of a value that excludes all others; and one that excludes none."""

    only: dict[str, tuple[int, str]]
    either: tuple[int, str, dict[str, str]] | None = None

    def see(self, line: int, text: str, readings: dict[str, str], kept: bool) -> None:
        if len(readings) == 1:
            self.only.setdefault(next(iter(readings)), (line, text))
        elif kept and self.either is None and len(set(readings.values())) > 1:
            self.either = line, text, readings

    def decide(self, what: str) -> str | Doubt:
        """The reading, blank where nothing depends on it."""
        if len(self.only) > 1:
            (line, text), (others, _) = list(self.only.values())[:2]
            contradicting = tuple((reading, shown(said)) for reading, (_, said) in self.only.items())
            return Doubt(what, line, shown(text), contradicting, others)
        if self.only:
            return next(iter(self.only))
        if self.either is None:
            return ""
        line, text, readings = self.either
        return Doubt(what, line, shown(text), tuple(readings.items()))


class Evidence:
    """What a file's amounts and dates say of how they are written. Those of records that are left out (``kept`` is false)
    decide as others do, but need no decision."""

    def __init__(self) -> None:
        self._amounts = _Evidence({})
        self._sign = ""
        self._dates = _Evidence({})

    def see_amount(self, line: int, text: str, *, kept: bool) -> None:
        """Its currency decides nothing: 19.995 EUR is sooner a fraction of a cent than twenty thousand."""
        sure = _SURE.get(self._sign)
        if not text or isinstance(text, Exact) or (sure is not None and sure.fullmatch(text)):
            return
        written = take_apart(text)
        if written is not None:
            readings = {
                sign: value for sign in DECIMAL_SIGNS if (value := in_major_units(written, sign)) is not None
            }
            self._amounts.see(line, text, readings, kept)
            self._sign = next(iter(self._amounts.only), "")

    def see_date(self, line: int, text: str, *, kept: bool) -> None:
        if text and not isinstance(text, Exact) and (read := days(text)) and "ymd" not in read:
            readings = {order: day.isoformat() for order, day in read.items()}
            self._dates.see(line, text, readings, kept)

    @property
    def decimal_sign(self) -> str | Doubt:
        return self._amounts.decide(DECIMAL_SIGN)

    @property
    def date_order(self) -> str | Doubt:
        return self._dates.decide(DATE_ORDER)
