"""Amounts as Stripe takes them (/currencies): its own list of currencies, units, most and least.

Written on its own and not shared with Paylink's rules, so that the one can find the other's mistakes.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.stripe.errors import ApiError, invalid


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


ZERO_DECIMAL = _codes("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
"""/currencies#zero-decimal"""
WHOLE_UNITS = _codes("isk ugx")
"""/currencies#special-cases: two decimals on the wire, always 00."""
THREE_DECIMAL = _codes("bhd jod kwd omr tnd")
"""/currencies#three-decimal: the last digit is 0."""
TWO_DECIMAL = _codes("""usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop
    crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr jmd kes kgs khr kyd
    kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr
    pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah uyu uzs wst xcd xcg
    yer zar zmw""")
CURRENCIES = ZERO_DECIMAL | WHOLE_UNITS | THREE_DECIMAL | TWO_DECIMAL

RETIRED = _codes("ang bgn std")
"""Replaced at home by XCG (31 March 2025), EUR (1 January 2026) and STN (2018). Whether Stripe still takes them, and until
when, is undocumented: /currencies went on to list them after that. Refused unless the account's rules say otherwise."""

MOST_DIGITS = 12
"""/currencies#minimum-and-maximum-charge-amounts: cards take twelve digits, American Express nine; other methods eight.
Whether a payment link takes as many is undocumented (AccountRules.most_digits)."""

LEAST = {
    **dict.fromkeys(_codes("usd eur aud cad chf nzd sgd brl inr"), 50),
    **dict.fromkeys(_codes("aed pln ron myr"), 200),
    **dict.fromkeys(_codes("nok sek"), 300),
    **dict.fromkeys(_codes("mxn thb"), 1000),
    **{"gbp": 30, "bgn": 100, "czk": 1500, "dkk": 250, "hkd": 400, "huf": 17500, "jpy": 50},
}
"""/currencies#minimum-and-maximum-charge-amounts, in the smallest unit, for settlement in the same currency."""


def amount_text(amount: int, currency: str) -> str:
    """As the buyer's page writes it: "USD 1,200.50"."""
    code = currency.lower()
    sign, digits = ("-", -amount) if amount < 0 else ("", amount)
    if code in ZERO_DECIMAL:
        return f"{code.upper()} {sign}{digits:,}"
    if code in WHOLE_UNITS:
        return f"{code.upper()} {sign}{digits // 100:,}"
    places = 3 if code in THREE_DECIMAL else 2
    whole, rest = divmod(digits, 10**places)
    return f"{code.upper()} {sign}{whole:,}.{rest:0{places}}"


def amount_of(text: str, currency: str) -> int:
    """What a person typed, in the smallest unit. Raises ValueError."""
    code = currency.lower()
    places = 0 if code in ZERO_DECIMAL else 3 if code in THREE_DECIMAL else 2
    try:
        amount = Decimal(text.replace(",", "")) * 10**places
    except ArithmeticError:
        raise ValueError(f"{text} is no amount") from None
    if not amount.is_finite() or amount != int(amount):
        raise ValueError(f"{text} is no amount of {code.upper()}")
    return int(amount)


def check_currency(currency: str, param: str, *, retired: bool = True) -> str:
    """The code in lower case (Stripe takes both cases); refuses what Stripe doesn't support, and with `retired` what no
    country has any more."""
    code, supported = currency.lower(), CURRENCIES - RETIRED if retired else CURRENCIES
    if code not in supported:
        raise invalid(
            f"Invalid currency: {code}. Stripe currently supports these currencies: {', '.join(sorted(supported))}",
            param,
        )
    return code


def check_unit_amount(amount: int, currency: str, param: str, *, digits: int = MOST_DIGITS) -> None:
    """The rules of the page that hold for any charge of this currency, whoever settles it."""
    if amount < 0:
        raise invalid("Invalid non-negative integer", param, "parameter_invalid_integer")
    most = 10**digits - 1
    if amount > most:
        raise invalid(f"Amount must be no more than {amount_text(most, currency)}", param, "amount_too_large")
    if currency in THREE_DECIMAL and amount % 10:
        raise invalid(
            f"Invalid amount. The amount {amount} in {currency.upper()} must be evenly divisible by 10.",
            param,
            "parameter_invalid_integer",
        )
    if currency in WHOLE_UNITS and amount % 100:
        raise invalid(
            f"Invalid amount. The amount {amount} in {currency.upper()} must be evenly divisible by 100.",
            param,
            "parameter_invalid_integer",
        )


def too_small(total: int, currency: str) -> ApiError | None:
    """/error-codes#amount-too-small, for currencies whose least is published."""
    least = LEAST.get(currency, 1)
    if total >= least:
        return None
    return invalid(
        f"The total amount due must add up to at least {amount_text(least, currency)}",
        None,
        "amount_too_small",
    )
