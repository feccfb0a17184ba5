"""Numbers that nobody can tell apart by looking are one number."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.invoices.numbers.keys import identity_of, number_key, written_key

UNSEEN = (
    "\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\u061c\u180e\u034f\ufe0f\u3164\uffa0\u17b4\u115f\U000e0101"
)
BLANKS = " \u00a0\u2002\u2007\u2009\u202f\u205f\u3000\u2800\u1680"
HYPHENS = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\ufe63\uff0d\u058a\ufe58"
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


@pytest.mark.parametrize(
    "number",
    [
        "inv-1",
        " INV-1\u3000",
        "INV-1\u200b",
        "INV\u20111",
        "INV-\u00ad1",
        "ＩＮＶ－１",
        *(f"INV{hyphen}1" for hyphen in HYPHENS),
        *(f"I{char}NV-1{char}" for char in UNSEEN),
    ],
)
def test_what_looks_like_inv_1_is_inv_1(number: str) -> None:
    assert number_key(number) == "inv-1"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ä-1", "A\u0308-1"),
        ("A\u200b\u0308-1", "ä-1"),
        ("ｶﾞ1", "ガ1"),
        ("№ 1", "№\u00a01"),
        ("A  1", "a 1"),
        ("STRASSE 1", "straße 1"),
        ("\u212a1", "k1"),
        *((f"A{blank}1", "a 1") for blank in BLANKS),
    ],
)
def test_two_ways_to_write_a_number_are_one(one: str, other: str) -> None:
    assert number_key(one) == number_key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("INV-1", "INV1"),
        ("INV-1", "INV 1"),
        ("INV-1²", "INV-12"),
        ("①", "1"),
        ("№1", "No1"),
        ("INV_1", "INV-1"),
        ("A-1", "А-1"),
        ("Ä-1", "A-1"),
        ("\u06001", "1"),
        ("½", "1/2"),
    ],
)
def test_numbers_that_are_seen_to_differ_stay_two(one: str, other: str) -> None:
    assert number_key(one) != number_key(other)


@pytest.mark.parametrize("number", ["", "  ", "\u200b", "\ufeff\u00a0\u3164", "\ufe0f"])
def test_a_number_of_which_nothing_is_seen_has_no_key(number: str) -> None:
    assert number_key(number) == ""


@given(st.text())
def test_a_key_is_its_own_key(number: str) -> None:
    key = number_key(number)
    assert number_key(key) == key
    assert "\n" not in key


@given(st.text())
def test_a_number_is_one_with_what_was_kept_of_it(number: str) -> None:
    """Versions before kept no more than this of what they tell numbers apart by."""
    assert number_key(written_key(number)) == number_key(number)
    assert identity_of(number) in (number_key(number), None)
    assert identity_of(number) is not None or written_key(number) == number_key(number)


NUMBERS = st.text(st.sampled_from("INVÄöſ19-/# 日カ"), min_size=1, max_size=8)


@given(NUMBERS, st.data())
def test_however_a_number_is_decorated_it_stays_one(number: str, data: st.DataObject) -> None:
    decorated = ""
    for char in data.draw(st.sampled_from([number, number.upper(), unicodedata.normalize("NFD", number)])):
        if char == " ":
            char = data.draw(st.text(st.sampled_from(BLANKS), min_size=1, max_size=2))
        elif char == "-":
            char = data.draw(st.sampled_from(HYPHENS))
        elif data.draw(st.booleans()):
            char = char.translate(WIDE)
        decorated += data.draw(st.text(st.sampled_from(UNSEEN), max_size=2)) + char

    assert number_key(f" {decorated}\u00a0") == number_key(number)


def test_no_character_makes_a_key_that_has_another_key() -> None:
    for code in range(0x110000):
        for number in (chr(code), f"a{chr(code)}1"):
            key = number_key(number)
            assert number_key(key) == key, hex(code)
