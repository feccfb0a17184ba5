import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import (
    SUPPORTED,
    AmountUnreadable,
    Money,
    exponent,
    is_above_sure,
    is_below_least,
    parse_major_units,
    shown_decimals,
)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (120_050, "USD", "USD 1,200.50"),
        (1_200, "JPY", "JPY 1,200"),
        (1_500, "KWD", "KWD 1.500"),
        (-1_500, "USD", "USD -15.00"),
        (0, "EUR", "EUR 0.00"),
        (5, "USD", "USD 0.05"),
        (150_000, "ISK", "ISK 1,500"),
        (150_050, "ISK", "ISK 1,500.50"),
        (123_456_789_012, "IDR", "IDR 1,234,567,890.12"),
        (-7, "KWD", "KWD -0.007"),
    ],
)
def test_amounts_read_the_same_everywhere(amount: int, currency: str, text: str) -> None:
    assert str(Money(amount, currency)) == text


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("1200.50", "USD", 120_050),
        ("1200.5", "USD", 120_050),
        ("1200", "USD", 120_000),
        ("0.1", "USD", 10),
        ("-15.00", "USD", -1_500),
        ("0", "USD", 0),
        ("-0", "USD", 0),
        ("007", "USD", 700),
        ("00", "JPY", 0),
        ("0" * 5_000 + "7", "JPY", 7),
        ("-10000000000000.00", "USD", -(10**15)),
        ("1000000000000000", "JPY", 10**15),
        ("98000", "JPY", 98_000),
        ("1.500", "KWD", 1_500),
        ("1.5", "KWD", 1_500),
        ("1500", "ISK", 150_000),
        ("1500", "UGX", 150_000),
        ("999999999999.99", "USD", 99_999_999_999_999),
    ],
)
def test_major_units_become_stripes_smallest_unit(text: str, currency: str, amount: int) -> None:
    assert parse_major_units(text, currency) == Money(amount, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "USD"),
        ("1,200.50", "USD"),
        ("1200,50", "USD"),
        ("1 200", "USD"),
        ("1.2e3", "USD"),
        ("+5", "USD"),
        ("$5", "USD"),
        (".5", "USD"),
        ("5.", "USD"),
        ("--5", "USD"),
        ("٥", "USD"),
        ("5\n", "USD"),
        ("NaN", "USD"),
        ("1.001", "USD"),
        ("1.0", "JPY"),
        ("1.0", "ISK"),
        ("1.0001", "KWD"),
        ("99999999999999.99", "USD"),
        ("9" * 400, "USD"),
        ("9" * 5_000, "JPY"),
    ],
)
def test_other_ways_to_write_amounts_are_refused_with_a_sentence(text: str, currency: str) -> None:
    with pytest.raises(AmountUnreadable, match=r"write the amount|decimals|at most"):
        parse_major_units(text, currency)


@given(st.integers(-(10**12), 10**12), st.sampled_from(sorted(SUPPORTED)))
def test_what_is_written_in_major_units_reads_back_the_same(amount: int, currency: str) -> None:
    amount -= amount % 10 ** (exponent(currency) - shown_decimals(currency))
    money = Money(amount, currency)
    assert parse_major_units(money.major_units, currency) == money
    assert str(money).replace(",", "") == f"{currency} {money.major_units}"


@pytest.mark.parametrize(
    ("amount", "above"), [(99_999_999, False), (100_000_000, True), (10**12 - 1, True), (-(10**9), False)]
)
@pytest.mark.parametrize("currency", ["USD", "JPY", "HUF", "IDR"])
def test_amounts_that_some_cards_dont_take_are_warned_of(amount: int, currency: str, above: bool) -> None:
    assert is_above_sure(Money(amount, currency)) is above


@pytest.mark.parametrize(
    ("amount", "currency", "below"),
    [
        (49, "USD", True),
        (50, "USD", False),
        (49, "JPY", True),
        (17_499, "HUF", True),
        *((49, currency, True) for currency in "ARS COP IDR ILS KRW PHP RUB ZAR".split()),
        (50, "ZAR", False),
        (0, "USD", False),
        (-1, "USD", False),
        (1, "ALL", False),
    ],
)
def test_small_amounts_are_warned_of(amount: int, currency: str, below: bool) -> None:
    assert is_below_least(Money(amount, currency)) is below
