"""Numbers that a file says more than once."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.files.reading import numbers_again, repeated
from domain.files.reading.invoice_file import Choices
from domain.files.reading.maps import FileMap
from domain.files.reading.numbers_again import NumbersAgain
from domain.files.reading.repeated import Repeats
from tests.domain.files.reading.reading import told
from tests.domain.files.reading.sources.test_workbook import Rows, book

HEADING = "number,buyer_name,billing_amount,currency,state"
DIFFER = "their amounts, currencies or states differ, so none is taken"


def plain(*lines: str) -> str:
    return "\n".join([HEADING, *lines]) + "\n"


@pytest.mark.parametrize(
    "other",
    ["F-1,Acme,50.00,USD,", "f-1 ,Acme,50.00,USD,", "F-1,Acme,600.00,EUR,", "F-1,Acme,600.00,USD,void"],
)
def test_of_records_that_differ_in_money_none_is_taken_and_all_lines_are_named(other: str) -> None:
    found = told(plain("F-1,Acme,600.00,USD,", "F-2,Acme,1.00,USD,", other))
    why = f"number: it is in lines 2 and 4: {DIFFER}"
    assert found == [f"line 2: {why}", "F-2 USD 1.00", f"line 4: {why}"]


def test_identical_repetitions_are_told_and_harmless() -> None:
    assert told(plain("F-1,Acme,600.00,USD,", "F-1,Acme,600.00,USD,open")) == [
        "F-1 USD 600.00",
        "line 3: repeated",
    ]


def test_of_those_that_differ_elsewhere_the_first_is_taken() -> None:
    why = "they differ elsewhere than in the amount, so only the first is taken"
    assert told(plain("F-1,Acme,600.00,USD,", "F-1,Heron,600.00,USD,")) == [
        "F-1 USD 600.00",
        f"line 3: number: it is in lines 2 and 3: {why}",
    ]


def test_one_that_is_bad_keeps_the_others_from_being_taken_in_its_place() -> None:
    found = told(
        plain("F-1,Acme,600.0x,USD,", "F-1,Acme,50.00,USD,", "F-1,Acme, Inc,50.00,USD,", "F-2,Acme,1,USD,")
    )
    assert found[0].startswith("line 2: billing_amount")
    assert found[1] == "line 3: number: it is in lines 2, 3 and 4: one of them is bad, so none is taken"
    assert found[3] == "F-2 USD 1.00"


def test_more_than_are_kept_in_memory_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers_again, "MANY", 3)
    monkeypatch.setattr(repeated, "CHUNK", 2)
    lines = [f"F-{n % 20},Acme,{n}.00,USD," for n in range(40)] + ["G-1,Acme,1.00,USD,"]
    found = told(plain(*lines))
    assert len(found) == 41
    assert found[-1] == "G-1 USD 1.00"
    assert all(DIFFER in line for line in found[:-1])


def test_a_number_in_very_many_records_names_the_first_of_them() -> None:
    found = told(plain(*(f"F-1,Acme,{n}.00,USD," for n in range(1_500))))
    assert found[0].startswith("line 2: number: it is in lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 1,490 more")
    assert len(found) == 1_500


def test_items_are_summed_and_too_large_a_sum_is_refused() -> None:
    columns = {name: (name,) for name in ("number", "buyer_name", "billing_amount", "currency")}
    summing = Choices(map=FileMap(columns=columns, decimal_sign=".", rows_of_one_number=Repeats.SUM))
    assert told(plain("F-1,A,600.00,USD,", "F-1,A,-50.00,USD,"), summing) == ["F-1 USD 550.00"]
    large = "F-1,A,9999999999999.00,USD,"
    assert "too large" in told(plain(large, large), summing)[0]


def test_what_comes_again_is_found_and_little_else() -> None:
    again = NumbersAgain.among(f"{n}" for n in [*range(100_000), 7, 8])
    assert "7" in again
    assert "8" in again
    assert sum(f"{n}" in again for n in range(100_000)) < 10


@pytest.mark.parametrize("most", [3, 1_000])
@given(
    keys=st.lists(
        st.sampled_from(["", "A", "B", "AA", "AB", "Ä", "AAA"]) | st.text("0129", max_size=3), max_size=12
    )
)
@example(keys=["A", "", "A"])
@example(keys=["A", "A", "B", "A"])
@example(keys=["1", "2", "10", "9", "2"])
def test_what_rises_is_found_again_when_it_falls(keys: list[str], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbers_again, "MOST_RISING", most)
        found = NumbersAgain.among(keys)
    runs = [key for at, key in enumerate(keys) if at == 0 or keys[at - 1] != key]
    assert {key for key in runs if key in found} == {key for key in runs if key and runs.count(key) > 1}


@pytest.mark.parametrize("repeats", Repeats)
@pytest.mark.parametrize("together", [100, 2])
def test_whether_records_of_one_number_follow_each_other_makes_no_difference(
    monkeypatch: pytest.MonkeyPatch, repeats: Repeats, together: int
) -> None:
    monkeypatch.setattr(numbers_again, "TOGETHER", together)
    said = {
        "A-1": [("Acme", "1.00", "USD", "")] * 3,
        "A-2": [("Acme", "1.00", "USD", ""), ("Heron", "1.00", "USD", "")],
        "A-3": [("Acme", "1.00", "USD", ""), ("Acme", "2.00", "USD", "")],
        "A-4": [("Acme", "1.00", "USD", ""), ("Acme", "1.00", "EUR", "")],
        "A-5": [("Acme", "1.00", "USD", ""), ("Acme", "x", "USD", ""), ("Acme", "x", "USD", "")],
        "A-6": [("Acme", "1.00", "USD", ""), ("Acme", "1.00", "USD", "draft")],
        "A-7": [("Acme", "1.00", "USD", "paid")] * 2,
        "A-8": [("Acme", "9999999999999.00", "USD", "")] * 2,
        "A-9": [("Acme", "1.00", "USD", "draft"), ("Acme", "1.00", "USD", "void")],
        "B-1": [("Acme", "1.00", "USD", "")],
    }
    columns = {name: (name,) for name in HEADING.split(",")}
    choices = Choices(map=FileMap(columns=columns, decimal_sign=".", rows_of_one_number=repeats))
    following = [(number, *one) for number, records in said.items() for one in records]
    apart = [
        (number, *records[at]) for at in range(3) for number, records in said.items() if at < len(records)
    ]

    def became(rows: Sequence[tuple[str, ...]]) -> list[str]:
        """Without its line, which is another one."""
        numbered = zip(rows, told(plain(*map(",".join, rows)), choices), strict=False)
        return sorted(re.sub(r"lines? [0-9, and]+:?", "", line) for _, line in numbered)

    assert became(following) == became(apart)


def test_only_a_workbook_s_types_tell_a_number_from_its_text() -> None:
    """1.250 is a number in one cell, and an amount as it is written in the other."""
    rows: Rows = [
        ("number", "name", "amount", "currency"),
        ("W-1", "Heron", 1.25, "KWD"),
        ("W-1", "Heron", "1.25", "KWD"),
    ]
    columns = {
        "number": ("number",),
        "buyer_name": ("name",),
        "billing_amount": ("amount",),
        "currency": ("currency",),
    }
    european = FileMap(columns=columns, decimal_sign=",", rows_of_one_number=Repeats.SAME)
    found = told(book({"S": rows}), Choices(map=european))
    assert [line.partition(" (")[0] for line in found] == [
        "line 2: number: it is in lines 2 and 3: one of them is bad, so none is taken",
        "line 3: billing_amount: write an amount such as 1200,50",
    ]
