"""Amounts as programs and people write them: grouped, with either decimal sign, a currency's sign, or in brackets.

Nothing is guessed: a text is in one of these forms under a decimal sign, or it is no amount.
"""

import re
import unicodedata
from typing import NamedTuple

from domain.files.import_fields import Problem, RecordRefused, shown
from domain.files.reading.records import Exact
from domain.money import AmountUnreadable, Money, parse_major_units, shown_decimals

_BLANKS = " \u00a0\u2007\u2009\u202f"
_APOSTROPHES = "'\u2019"
# People mix them in one amount: a program writes one kind, and a keyboard another.
_ALIKE = str.maketrans(dict.fromkeys(_BLANKS, " ") | dict.fromkeys(_APOSTROPHES, "'"))
_MINUS = "-\u2212"
LENGTH = 60


def _form(decimal: str, grouping: str) -> re.Pattern[str]:
    """Digits in groups of three (or as in India) with one kind of sign between them, or without any."""
    sign = re.escape(decimal)
    groups = "|".join(
        [r"[0-9]{1,3}(?P<by>[" + re.escape(f"{grouping} '") + r"])[0-9]{3}(?:(?P=by)[0-9]{3})*"]
        + ([r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"] if grouping == "," else [])
        + [r"[0-9]+"]
    )
    return re.compile(rf"(?P<whole>{groups})(?:{sign}(?P<decimals>[0-9]+))?|{sign}(?P<only>[0-9]+)")


_FORMS = {".": _form(".", ","), ",": _form(",", ".")}
_ENCLOSED = re.compile(r"([^0-9()]*)\((.*)\)", re.DOTALL)
"""Below zero; the sign of its currency may stand before the bracket, as in $(75.50)."""
_AROUND = re.compile(r"([^0-9]*?)((?:(?<![^\W\d_])[.,])?[0-9](?:.*[0-9])?)([^0-9]*)", re.DOTALL)
_BARE = re.compile("[0-9](?:[0-9.,]*[0-9])?")
"""Nothing around the digits: nearly all are so."""
_NO_DIGIT = re.compile("[^0-9]")
_WHOLE = re.compile(r"[.,][-\u2013\u2014]{1,2}$")
"""Behind an amount without decimals, as in 1250.- or 1250,--"""

# Whose currencies a sign may stand for. A sign that isn't here says nothing.
_OF_SIGN = {
    "€": "EUR",
    "£": "GBP EGP FKP GIP SHP LBP SDG SSP SYP",
    "¥": "JPY CNY",
    "￥": "JPY CNY",
    "円": "JPY",
    "\\": "JPY",  # in Shift_JIS, the yen sign is where others have this one
    "₹": "INR",
    "₩": "KRW KPW",
    "₽": "RUB",
    "₺": "TRY",
    "₪": "ILS",
    "₫": "VND",
    "₱": "PHP",
    "₦": "NGN",
    "₴": "UAH",
    "฿": "THB",
    "zł": "PLN",
    "Kč": "CZK",
    "kr": "SEK NOK DKK ISK",
    "kr.": "SEK NOK DKK ISK",
    "R$": "BRL",
    "元": "CNY",
    "Ft": "HUF",
    "lei": "RON MDL",
    "TL": "TRY",
    "R": "ZAR",
    "RM": "MYR",
    "Rp": "IDR",
    "Rs": "INR PKR LKR NPR MUR SCR",
    "Rs.": "INR PKR LKR NPR MUR SCR",
    "руб.": "RUB",
    "KSh": "KES",
    "Fr": "CHF",
    "Fr.": "CHF",
    "SFr.": "CHF",
}
_DOLLARS = frozenset(
    "USD AUD BBD BMD BND BSD BZD CAD FJD GYD HKD JMD KYD LRD NAD NZD SBD SGD SRD TTD TWD XCD ARS CLP COP MXN UYU "
    "DOP NIO".split()
)


class Written(NamedTuple):
    """An amount's text taken apart: the digits with their signs, whether it is below zero, and what says its currency, before
    them and behind them."""

    digits: str
    negative: bool
    signs: tuple[str, ...] = ()


def take_apart(text: str) -> Written | None:
    """None if it is no amount in any form. A number of a workbook stands apart: it is read as it is."""
    text = text.strip()
    if not text or len(text) > LENGTH:
        return None
    if _BARE.fullmatch(text):
        return Written(text, False)
    enclosed = _ENCLOSED.fullmatch(text)
    inner = f"{enclosed[1]}{enclosed[2]}".strip() if enclosed else text
    around = _AROUND.fullmatch(_WHOLE.sub("", inner))
    if around is None:
        return None
    before, digits, after = around[1], around[2], around[3]
    minuses = sum((before + after).count(char) for char in _MINUS)
    if minuses > 1 or (minuses and enclosed):
        return None
    signs = tuple(sign for part in (before, after) if (sign := part.strip(_BLANKS + _MINUS)))
    if any("+" in sign or not _is_currency_sign(sign) for sign in signs):
        return None
    return Written(digits.translate(_ALIKE), enclosed is not None or minuses == 1, signs)


def _is_currency_sign(sign: str) -> bool:
    if sign in _OF_SIGN or re.fullmatch(r"[A-Za-z]{3}", sign):
        return True
    return len(sign) <= 4 and any(unicodedata.category(char) == "Sc" for char in sign)


def in_major_units(written: Written, decimal_sign: str) -> str | None:
    """The amount as ``-1200.50``; None if it isn't one under this decimal sign."""
    match = _FORMS[decimal_sign].fullmatch(written.digits)
    if match is None:
        return None
    whole = _NO_DIGIT.sub("", match["whole"] or "0")
    decimals = match["decimals"] or match["only"]
    return f"{'-' * written.negative}{whole}{f'.{decimals}' if decimals else ''}"


def exact_in(text: str, currency: str) -> str | None:
    """The amount without zeros that its currency doesn't write; None if it has decimals that the currency hasn't."""
    whole, _, decimals = text.partition(".")
    places = shown_decimals(currency)
    if decimals[places:].strip("0"):
        return None
    kept = decimals[:places]
    return f"{whole}.{kept}" if kept else whole


def read_amount(name: str, text: str, decimal_sign: str, currency: str) -> Money:
    """Raises RecordRefused. ``decimal_sign`` may be blank where no amount of the file needs one."""
    if isinstance(text, Exact):
        in_units: str | None = text.strip()
    else:
        written = take_apart(text)
        in_units = None if written is None else in_major_units(written, decimal_sign or ".")
        if written is not None and not all(_may_be(sign, currency) for sign in written.signs):
            raise RecordRefused(
                Problem(name, shown(text), f"its sign isn't that of the currency, which is {currency}")
            )
    if in_units is None:
        wanted = "1200.50" if decimal_sign != "," else "1200,50"
        raise RecordRefused(Problem(name, shown(text), f"write an amount such as {wanted}"))
    exact = exact_in(in_units, currency)
    if exact is None:
        most = shown_decimals(currency) or "no"
        raise RecordRefused(
            Problem(name, shown(text), f"{currency} amounts have {most} decimals: write it exactly")
        )
    try:
        return parse_major_units(exact, currency)
    except AmountUnreadable as error:
        raise RecordRefused(Problem(name, shown(text), str(error))) from None


def _may_be(sign: str, currency: str) -> bool:
    if sign in _OF_SIGN:
        return currency in _OF_SIGN[sign].split()
    if re.fullmatch(r"[A-Za-z]{3}", sign):
        return sign.upper() == currency
    if sign.endswith("$"):
        letters = sign[:-1].upper()
        return currency in _DOLLARS and (not letters or currency.startswith(letters))
    return True
