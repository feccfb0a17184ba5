import pytest

from domain.files.import_fields import ImportedInvoice
from domain.files.reading.records import BadLine
from tests.domain.files.reading.plain_files import Write, outcomes, read, row, write

__all__ = ["write"]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("number", "", "can't be blank"),
        ("number", "x" * 61, "at most 60 characters"),
        ("number", "A\x07", "without control characters"),
        ("number", "A\u2028B", "without control characters"),
        ("buyer_name", "   ", "can't be blank"),
        ("buyer_name", "x" * 10_001, "at most 10,000 characters"),
        ("buyer_name", "Acme\tLtd", "without control characters"),
        ("buyer_name", "Acme\x00", "without control characters"),
        ("buyer_email", "billing", "such as billing@acme.example"),
        ("buyer_email", "a@b@c", "such as billing@acme.example"),
        ("buyer_email", "Acme <a@b.example>", "such as billing@acme.example"),
        ("billing_amount", "", "such as 1200.50"),
        ("billing_amount", '"1,200.50"', "such as 1200.50"),
        ("billing_amount", "1200.505", "at most 2 decimals"),
        ("billing_amount", "10000000000000.01", "write an amount of at most 10000000000000.00"),
        ("billing_amount", "9" * 17, "write an amount of at most 10000000000000.00"),
        ("billing_amount", "-" + "9" * 5_000, "write an amount of at most 10000000000000.00"),
        ("currency", "", "three capitals"),
        ("currency", "usd", "three capitals"),
        ("currency", "ABC", "such as USD: this isn't one"),
        ("currency", "ZZZ", "write a currency of ISO 4217"),
        ("issue_date", "31.10.2026", "such as 2026-11-30"),
        ("due_date", "2026-02-30", "such as 2026-11-30"),
        ("due_date", "20261130", "such as 2026-11-30"),
        ("due_date", "2026-11-30T00:00", "such as 2026-11-30"),
        ("description", "x" * 10_001, "at most 10,000 characters"),
        ("buyer_email", "a@b\u2028c", "write one address"),
        ("description", "\x1b[31m", "without control characters"),
    ],
)
def test_a_bad_field_is_refused_with_how_to_write_it(
    write: Write, field: str, value: str, reason: str
) -> None:
    (bad,) = read(write(row(**{field: value})))
    assert isinstance(bad, BadLine)
    assert bad.line == 2
    assert bad.reason.startswith(f"{field}: ")
    assert reason in bad.reason


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", "  INV-1  "),
        ("number", "№ 5/2026 «б»"),
        ("number", "x" * 60),
        ("buyer_name", "=HYPERLINK(1)"),
        ("buyer_name", "Acme\u2028Lane\u2029Ltd"),
        ("description", "One\u2028two"),
        ("buyer_name", "<!channel> *x* \u202e \U0001f355"),
        ("buyer_name", "x" * 10_000),
        ("buyer_email", ""),
        ("billing_amount", "-15.00"),
        ("billing_amount", "0"),
        ("issue_date", ""),
        ("due_date", ""),
        ("description", ""),
        ("description", '"tab\tand\nline"'),
    ],
)
def test_a_field_may_hold(write: Write, field: str, value: str) -> None:
    (taken,) = read(write(row(**{field: value})))
    assert isinstance(taken, ImportedInvoice)


def test_all_that_is_wrong_with_a_line_is_told_at_once(write: Write) -> None:
    (bad,) = outcomes(write(row(number="", currency="usd", due_date="soon")))
    assert [part.split(":")[0] for part in bad.removeprefix("2: ").split("; ")] == [
        "number",
        "currency",
        "due_date",
    ]


@pytest.mark.parametrize(
    ("fields", "reason"), [(7, "7 fields instead of 8"), (9, "9 fields instead of 8: put a field")]
)
def test_too_few_or_too_many_fields(write: Write, fields: int, reason: str) -> None:
    (bad,) = outcomes(write(",".join("x" * fields)))
    assert bad.startswith(f"2: {reason}")


def test_a_refused_number_is_told_on_one_short_line_without_control_characters(write: Write) -> None:
    [escape, long] = read(write(row(number="INV\x1b[2J-1") + row(number="9" * 5_000)))
    assert isinstance(escape, BadLine)
    assert escape.number == "INV [2J-1"
    assert isinstance(long, BadLine)
    assert len(long.number) == 100
