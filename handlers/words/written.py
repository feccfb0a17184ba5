"""Amounts and dates in the language that the organisation's administrators chose for them.

Whatever the language, the currency's code stands before an amount, and all of its decimals behind it; a month is
written as a word, so that no day can be taken for one.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import lru_cache

from domain.money import Money
from domain.scope import DEFAULT_LANGUAGE, LANGUAGE

SEPARATORS: dict[str, tuple[str, str]] = {
    DEFAULT_LANGUAGE: (",", "."),
    "de": (".", ","),
    "es": (".", ","),
    "fr": ("\u202f", ","),
    "it": (".", ","),
    "nl": (".", ","),
    "pt": (".", ","),
    "ja": (",", "."),
}
"""Between groups of three digits, and before decimals. A test holds them against Babel's."""


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """What is made within is in this language."""
    before = LANGUAGE.set(language)
    try:
        yield
    finally:
        LANGUAGE.reset(before)


def amount(money: Money) -> str:
    language = LANGUAGE.get()
    if language == DEFAULT_LANGUAGE or language not in SEPARATORS:
        return str(money)
    grouping, point = SEPARATORS[language]
    return str(money).translate({ord(","): grouping, ord("."): point})


def amounts(several: Iterable[Money]) -> list[str]:
    return [amount(one) for one in several]


def day(one: date) -> str:
    language = LANGUAGE.get()
    return one.isoformat() if language not in SEPARATORS else _day(one, language)


@lru_cache(maxsize=1024)
def _day(one: date, language: str) -> str:
    if language == DEFAULT_LANGUAGE:
        return one.isoformat()
    # Few need it.
    from babel.dates import format_skeleton

    return str(format_skeleton("yMMMd", one, locale=language))
