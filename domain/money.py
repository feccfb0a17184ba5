"""Money as Stripe counts it: an integer in the smallest unit of its currency. No float touches it.

Source for the three tables: docs.stripe.com/currencies (zero-decimal, three-decimal and special-case
currencies, minimum and maximum charge amounts).
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())
# Counted in hundredths, yet only whole units can be charged and shown.
WHOLE_UNITS_ONLY = frozenset({"ISK", "UGX"})

SUPPORTED = (
    frozenset(
        "USD AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BWP BYN BZD CAD "
        "CDF CHF CNY COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG "
        "HUF IDR ILS INR JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK "
        "MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD "
        "SHP SLE SOS SRD SZL THB TJS TOP TRY TTD TWD TZS UAH UYU UZS WST XCD XCG YER ZAR ZMW".split()
    )
    | ZERO_DECIMAL
    | THREE_DECIMAL
    | WHOLE_UNITS_ONLY
)

# Stripe doesn't take these: they have the decimals of ISO 4217, where those aren't two.
OTHER_DECIMALS = {"IQD": 3, "LYD": 3, "CLF": 4, "UYW": 4, "UYI": 0}

# No longer money: EUR, XCG and STN took their place. Stripe's page went on to list them for years.
RETIRED = frozenset({"BGN", "ANG", "STD"})

MOST = 10**12 - 1
"""In the smallest unit: cards take amounts of twelve digits."""
SURE = 99_999_999
"""Up to this every card takes an amount; American Express takes nine digits, others fewer than twelve."""

# What an integer column of the database can hold is far above what any invoice says.
STORABLE = 10**15
DIGITS = len(str(STORABLE))

LEAST = {
    **dict.fromkeys("USD EUR AUD CAD CHF NZD SGD BRL INR".split(), 50),
    # Listed later than the others, and taken for the same.
    **dict.fromkeys("ARS COP IDR ILS KRW PHP RUB ZAR".split(), 50),
    "GBP": 30,
    **dict.fromkeys("AED PLN RON MYR".split(), 200),
    "CZK": 1500,
    "DKK": 250,
    **dict.fromkeys("NOK SEK".split(), 300),
    "HKD": 400,
    "HUF": 17500,
    "JPY": 50,
    **dict.fromkeys("MXN THB".split(), 1000),
}

_MAJOR_UNITS = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?", re.ASCII)


class AmountUnreadable(ValueError):
    """The text isn't an amount in major units; ``args[0]`` says how to write it."""


@dataclass(frozen=True, order=True)
class Money:
    """``amount`` in the currency's smallest unit as ``exponent`` says; ``currency`` in ISO 4217 capitals."""

    amount: int
    currency: str

    def __str__(self) -> str:
        """As people read it everywhere: ``USD 1,200.50``, ``JPY 1,200``, ``KWD 1.500``, ``USD -15.00``."""
        return f"{self.currency} {self._major(grouping=',')}"

    @property
    def major_units(self) -> str:
        """Ungrouped, as in files that come in and go out: ``1200.50``."""
        return self._major(grouping="")

    def _major(self, grouping: str) -> str:
        places = exponent(self.currency)
        whole, rest = divmod(abs(self.amount), 10**places)
        digits = f"{whole:{grouping}}"
        if places and (rest or shown_decimals(self.currency)):
            digits += f".{rest:0{places}d}"
        return f"-{digits}" if self.amount < 0 else digits


def exponent(currency: str) -> int:
    """How many decimal digits the smallest unit is below the major unit, as Stripe counts; else as ISO 4217 says."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else OTHER_DECIMALS.get(currency, 2)


def shown_decimals(currency: str) -> int:
    """How many decimals people write: none for ISK and UGX although Stripe counts their hundredths."""
    return 0 if currency in WHOLE_UNITS_ONLY else exponent(currency)


def parse_major_units(text: str, currency: str) -> Money:
    """Read ``1200.50``: an optional minus, digits, a point before decimals, no grouping.

    Raises AmountUnreadable with a sentence that says how to write it.
    """
    match = _MAJOR_UNITS.fullmatch(text)
    if match is None:
        raise AmountUnreadable("write the amount with digits and a point before decimals, such as 1200.50")
    sign, whole, decimals = match[1], match[2].lstrip("0") or "0", match[3] or ""
    most = shown_decimals(currency)
    if len(decimals) > most:
        allowed = "no decimals" if most == 0 else f"at most {most} decimals"
        raise AmountUnreadable(f"{currency} amounts have {allowed}")
    places = exponent(currency)
    # Python makes no integer of thousands of digits.
    shortened = whole[: DIGITS + 1]
    amount = int(shortened) * 10**places + int(decimals.ljust(places, "0") or "0")
    if amount > STORABLE:
        raise AmountUnreadable(f"write an amount of at most {Money(STORABLE, currency).major_units}")
    return Money(-amount if sign else amount, currency)


def is_below_least(money: Money) -> bool:
    """Whether Stripe may refuse the payment as too small.

    Only a warning: the least amount depends on the settlement currency, which Paylink doesn't know.
    """
    return 0 < money.amount < LEAST.get(money.currency, 0)


def is_above_sure(money: Money) -> bool:
    """Whether there are cards that don't take the amount. Only a warning: the buyer may have another one."""
    return money.amount > SURE


def sums(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """The sum for each currency, in the order of their codes."""
    by_currency = sorted((money.currency, money.amount) for money in amounts)
    return tuple(
        Money(sum(amount for _, amount in some), currency)
        for currency, some in itertools.groupby(by_currency, key=itemgetter(0))
    )
