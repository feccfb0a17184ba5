"""Days as programs and people write them, with or without a time behind them."""

import re
from datetime import date
from functools import cache, lru_cache

LOCALES = ("en", "de", "fr", "es", "it", "nl", "pt")
"""Whose names of months are read."""
_TIME = re.compile(
    r"(?:[T ]\s*|,\s*)[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?"
    r"\s*(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?"
)
_YEAR_FIRST = (
    re.compile(r"(?P<year>[0-9]{4})(?P<by>[-/.])(?P<month>[0-9]{1,2})(?P=by)(?P<day>[0-9]{1,2})"),
    re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"),
    re.compile(r"(?P<year>[0-9]{4})年(?P<month>[0-9]{1,2})月(?P<day>[0-9]{1,2})日"),
)
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
_NAMED = re.compile(
    r"(?:(?P<day>[0-9]{1,2})(?:st|nd|rd|th|er|\.)?[-/\s]+(?:de\s+)?(?P<month>[^\W\d_]+)\.?,?[-/\s]+(?:de\s+)?"
    r"|(?P<month2>[^\W\d_]+)\.?\s+(?P<day2>[0-9]{1,2})(?:st|nd|rd|th)?,?\s+)(?P<year>[0-9]{4}|[0-9]{2})"
)


def without_time(text: str) -> str:
    for match in _TIME.finditer(text):
        if match.end() == len(text):
            return text[: match.start()].strip()
    return text


@lru_cache(maxsize=4_000)  # files say the same days over and over
def days(text: str) -> dict[str, date]:
    """What the text says in each order in which it is a day of the calendar; one that needs no order is there in each."""
    text = without_time(text.strip())
    for form in _YEAR_FIRST:
        if match := form.fullmatch(text):
            found = _day(match["year"], match["month"], match["day"])
            return dict.fromkeys(("ymd", "dmy", "mdy"), found) if found else {}
    if match := _NAMED.fullmatch(text):
        month = _months().get((match["month"] or match["month2"]).casefold())
        found = _day(match["year"], str(month or 0), match["day"] or match["day2"])
        return dict.fromkeys(("ymd", "dmy", "mdy"), found) if found else {}
    if match := _YEAR_LAST.fullmatch(text):
        one, sign, two, year = match.groups()
        # With points, nobody writes the month first.
        read = {"dmy": _day(year, two, one), "mdy": None if sign == "." else _day(year, one, two)}
        return {order: day for order, day in read.items() if day is not None}
    return {}


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None


@cache
def _months() -> dict[str, int]:
    """By their names, long and short; a name that is two months' isn't there."""
    from babel import Locale

    found: dict[str, set[int]] = {}
    for name in LOCALES:
        months = Locale.parse(name).months
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, written in months[context][width].items():
                    found.setdefault(written.rstrip(".").casefold(), set()).add(number)
    return {written: numbers.pop() for written, numbers in found.items() if len(numbers) == 1}
