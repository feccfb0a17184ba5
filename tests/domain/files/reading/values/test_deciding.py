"""Decimal signs and orders of dates: decided by what excludes the other, or asked for."""

import pytest

from domain.files.reading.invoice_file import Choices, Undecided
from tests.domain.files.reading.reading import told

HEADING = "InvoiceNumber;ContactName;InvoiceDate;DueDate;Total;Currency;Status"


def file(*rows: tuple[str, str]) -> str:
    """A due date and an amount in each row."""
    lines = [f"A-{n};Heron;;{day};{amount};EUR;open" for n, (day, amount) in enumerate(rows)]
    return "\n".join([HEADING, *lines]) + "\n"


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("1,250.00", "1,250.00"),
        ("1.250,00", "1,250.00"),
        ("1250,5", "1,250.50"),
        ("1.250.000", "1,250,000.00"),
        ("1,250,000", "1,250,000.00"),
        ("1'200.50", "1,200.50"),
        ("1’200.50", "1,200.50"),
        ("1 200,50", "1,200.50"),
        ("1\u00a0200,50", "1,200.50"),
        ("1\u202f200,50 €", "1,200.50"),
        ("1\u202f234\u00a0567,50 €", "1,234,567.50"),
        ("1'234’567.50", "1,234,567.50"),
        ("€ (75,50)", "-75.50"),
        ("€5.00 EUR", "5.00"),
        ("1,20,000.50", "120,000.50"),
        ("(75.50)", "-75.50"),
        ("75,50-", "-75.50"),
        ("−75,50", "-75.50"),
        ("€ 5,00", "5.00"),
        ("EUR 5.00", "5.00"),
        ("12.5000", "12.50"),
        ("1250.-", "1,250.00"),
        ("500", "500.00"),
    ],
)
def test_an_amount_is_read_as_it_is_written(amount: str, said: str) -> None:
    assert told(file(("2026-11-30", amount))) == [f"A-0 EUR {said} 2026-11-30"]


@pytest.mark.parametrize(
    "amount",
    [
        "1e3",
        "NaN",
        "1_000",
        "٣٤",
        "1.2.3",
        "1,25,00",
        "--5",
        "+5.00",
        "12 34",
        "(-5.00)",
        "5.00 $",
        "€5.00 USD",
        "1 234\u00a05678,50",
        "inf",
        "0x10",
    ],
)
def test_what_is_no_amount_is_refused(amount: str) -> None:
    [bad] = told(file(("2026-11-30", amount)))
    assert bad.startswith("line 2: billing_amount: ")


@pytest.mark.parametrize(
    "day",
    [
        *("2026-11-30", "30/11/2026", "11/30/2026", "30.11.2026", "30-11-2026", "2026/11/30", "20261130"),
        *("30 Nov 2026", "Nov 30, 2026", "30. November 2026", "30-Nov-26", "30/11/26", "2026年11月30日"),
        *("2026-11-30 09:15", "2026-11-30T09:15:00Z", "11/30/2026 12:00:00 AM", "2026-11-30 00:00:00 +0900"),
    ],
)
def test_a_day_is_read_as_it_is_written(day: str) -> None:
    assert told(file((day, "5"))) == ["A-0 EUR 5.00 2026-11-30"]


@pytest.mark.parametrize("day", ["31/02/2026", "soon", "2026-13-01", "46000", "30/11"])
def test_what_is_no_day_is_refused(day: str) -> None:
    [bad] = told(file((day, "5")))
    assert bad.startswith("line 2: due_date: write a date of the calendar")


@pytest.mark.parametrize(
    ("row", "what", "readings"),
    [
        (("2026-11-30", "1,250"), "decimal_sign", ((".", "1250"), (",", "1.250"))),
        (("03/04/2026", "5"), "date_order", (("dmy", "2026-04-03"), ("mdy", "2026-03-04"))),
    ],
)
def test_what_nothing_decides_is_asked_for_with_the_readings_of_an_example(
    row: tuple[str, str], what: str, readings: tuple[tuple[str, str], ...]
) -> None:
    with pytest.raises(Undecided) as asked:
        told(file(row))
    [doubt] = asked.value.questions.doubts
    assert (doubt.what, doubt.line, doubt.readings, doubt.others) == (what, 2, readings, 0)
    for reading, _ in readings:
        chosen = Choices(decimal_sign=reading) if what == "decimal_sign" else Choices(date_order=reading)
        assert told(file(row), chosen)


def test_one_value_decides_for_the_whole_file() -> None:
    assert told(file(("03/04/2026", "1,250"), ("13/04/2026", "2,5"))) == [
        "A-0 EUR 1.25 2026-04-03",
        "A-1 EUR 2.50 2026-04-13",
    ]


def test_a_fraction_of_a_cent_is_no_thousand() -> None:
    with pytest.raises(Undecided):
        told(file(("2026-11-30", "19.995")))
    assert told(file(("2026-11-30", "19.995"), ("2026-11-30", "5.00"))) == [
        "line 2: billing_amount: EUR amounts have 2 decimals: write it exactly (it says “19.995”)",
        "A-1 EUR 5.00 2026-11-30",
    ]


def test_records_that_are_left_out_decide_too_but_need_no_decision() -> None:
    left_out = file(("13/04/2026", "1,250.00")).replace(";open", ";draft").splitlines()[1]
    assert told(file(("03/04/2026", "2,500")) + left_out) == ["A-0 EUR 2,500.00 2026-04-03", "line 3: draft"]
    assert told(file(("03/04/2026", "1,250")).replace(";open", ";draft")) == ["line 2: draft"]


def test_values_that_contradict_each_other_decide_nothing() -> None:
    with pytest.raises(Undecided) as asked:
        told(file(("2026-11-30", "1,250.00"), ("2026-11-30", "1.250,00")))
    [doubt] = asked.value.questions.doubts
    assert (doubt.line, doubt.others) == (2, 3)
    assert told(file(("2026-11-30", "1,250.00"), ("2026-11-30", "1.250,00")), Choices(decimal_sign="."))[
        0
    ] == ("A-0 EUR 1,250.00 2026-11-30")
