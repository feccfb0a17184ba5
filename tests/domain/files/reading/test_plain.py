import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from domain.files.import_fields import COLUMNS, ImportedInvoice
from domain.files.reading.invoice_file import open_path
from domain.files.reading.plain import HEADING, TEMPLATE
from domain.files.reading.records import BadLine, FileUnusable, Item
from domain.files.reading.sources.text import RECORD_LENGTH

GOOD = "INV-1,Acme,billing@acme.example,1200.50,USD,2026-10-31,2026-11-30,Consulting"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file below the heading; return its path."""

    def write(content: str | bytes, *, heading: str = f"{HEADING}\n", name: str = "invoices.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(heading.encode() + (content.encode() if isinstance(content, str) else content))
        return path

    return write


def read(path: Path) -> list[Item]:
    with open_path(path) as file:
        return list(file.read())


def outcomes(path: Path) -> list[str]:
    """What became of each line: a number, or the line and the reason."""
    return [
        one.number if not isinstance(one, BadLine) else f"{one.where.removeprefix('line ')}: {one.reason}"
        for one in read(path)
    ]


def row(**fields: str) -> str:
    values = dict(zip(COLUMNS, GOOD.split(","), strict=True)) | fields
    return ",".join(values.values()) + "\n"


def test_a_line_becomes_an_invoice(write: Write) -> None:
    assert read(write(GOOD)) == [
        ImportedInvoice(
            line=2,
            number="INV-1",
            number_key="inv-1",
            buyer_name="Acme",
            buyer_email="billing@acme.example",
            amount=120_050,
            currency="USD",
            issue_date=date(2026, 10, 31),
            due_date=date(2026, 11, 30),
            description="Consulting",
        )
    ]


@pytest.mark.parametrize(
    "heading",
    [
        f"{HEADING}\n",
        f"\ufeff{HEADING}\n",
        f"{HEADING}\r\n",
        f"\n{HEADING}\n\n",
        ",".join(f'"{name}"' for name in COLUMNS) + "\n",
    ],
)
def test_headings_with_and_without_mark_quotes_and_blank_lines(write: Write, heading: str) -> None:
    assert outcomes(write(GOOD, heading=heading)) == ["INV-1"]


def test_columns_may_stand_in_any_order(write: Write) -> None:
    turned = ",".join(reversed(GOOD.split(",")))
    (invoice,) = read(write(turned, heading=",".join(reversed(COLUMNS)) + "\n"))
    assert isinstance(invoice, ImportedInvoice)
    assert (invoice.number, invoice.amount, invoice.description) == ("INV-1", 120_050, "Consulting")


@pytest.mark.parametrize(
    "heading",
    [
        "",
        f"{GOOD}\n",
        HEADING.replace(",", ";") + "\n",
        HEADING.replace(",", "\t") + "\n",
        HEADING.upper() + "\n",
        f"{HEADING},notes\n",
        HEADING.replace(",billing_amount", "") + "\n",
        HEADING.replace("description", "number") + "\n",
        '"number\n',
    ],
)
def test_a_file_without_exactly_the_heading_is_unusable(write: Write, heading: str) -> None:
    with pytest.raises(FileUnusable):
        read(write("", heading=heading))


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfeI\x00",
        GOOD.encode("utf-16"),
        b"\n" * 3_000_000 + "Müller".encode("latin-1"),
        b"\xe2\x82",
        b"\xed\xa0\x80",
    ],
    ids=["mark", "utf-16", "late", "cut", "surrogate"],
)
def test_a_file_that_is_not_utf8_anywhere_is_unusable(write: Write, content: bytes) -> None:
    with pytest.raises(FileUnusable, match="isn't UTF-8"):
        read(write(content))


def test_what_cannot_be_opened_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match="No such file"):
        read(tmp_path / "missing.csv")
    with pytest.raises(FileUnusable, match="isn't a file"):
        read(tmp_path)


def test_fields_in_quotation_marks_hold_commas_marks_and_line_breaks(write: Write) -> None:
    content = (
        'INV-1,"Acme, Inc.",,1.00,USD,,,"Two\nlines, ""quoted"""\r\n'
        "\n"
        '"INV-2","""Q"" Ltd",,1.00,USD,,,""\n'
        'INV-3,Acme,,1.00,USD,,,"\n\n"\n'
        "INV-4,Acme,,1.00,USD,,,"
    )
    lines = read(write(content))
    assert [(one.line, one.number) for one in lines if isinstance(one, ImportedInvoice)] == [
        (2, "INV-1"),
        (5, "INV-2"),
        (6, "INV-3"),
        (9, "INV-4"),
    ]
    first, second = lines[:2]
    assert isinstance(first, ImportedInvoice)
    assert isinstance(second, ImportedInvoice)
    assert (first.buyer_name, first.description) == ("Acme, Inc.", 'Two\nlines, "quoted"')
    assert second.buyer_name == '"Q" Ltd'


@pytest.mark.parametrize("breaks", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(write: Write, breaks: str) -> None:
    content = row(number="A") + row(number="B", billing_amount="x") + row(number="C")
    assert [
        text[:2] for text in outcomes(write(content.replace("\n", breaks), heading=HEADING + breaks))
    ] == [
        "A",
        "3:",
        "C",
    ]


def test_a_stray_quotation_mark_costs_its_own_line_only(write: Write) -> None:
    content = (
        row(number="A")
        + row(number='"B')
        + row(number="C")
        + row(number='D"')
        + row(number='"E"', buyer_name='"Acme" Ltd')
        + row(number="F", description='"is never closed')
        + row(number="G")
    )
    assert outcomes(write(content)) == [
        "A",
        "lines 3 to 5: number: a quotation mark opens it and isn't closed in this line",
        "6: put fields that hold a quotation mark in quotation marks, and double those in them",
        "7: a quotation mark opens a field here and is never closed",
        "G",
    ]


def test_an_overlong_line_costs_its_own_line_only(write: Write) -> None:
    content = row(number="A", description="x" * (RECORD_LENGTH + 10)) + row(
        number="B", description='"' + "x\n" * RECORD_LENGTH
    )
    found = outcomes(write(content + row(number="C")))
    assert found[0] == "2: write the record in at most 100,000 characters"
    assert found[1] == "3: a quotation mark opens a field here and is never closed"
    assert found[-1] == "C"
    assert len(found) == RECORD_LENGTH + 2


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


def test_json_lines_are_read_by_name(write: Write) -> None:
    full = dict(zip(COLUMNS, GOOD.split(","), strict=True))
    short = {
        "number": "INV-2",
        "buyer_name": "Acme",
        "billing_amount": "5",
        "currency": "USD",
        "due_date": None,
    }
    content = f"{json.dumps(full)}\n\n{json.dumps(short)}\n"
    for name in ("invoices.jsonl", "invoices.ndjson", "invoices.csv", "invoices"):
        first, second = read(write(content, heading="", name=name))
        assert isinstance(first, ImportedInvoice)
        assert isinstance(second, ImportedInvoice)
        assert (first.number, first.amount, first.due_date) == ("INV-1", 120_050, date(2026, 11, 30))
        assert (second.line, second.buyer_email, second.due_date) == (3, "", None)


def test_numbers_in_json_keep_every_digit(write: Write) -> None:
    content = '{"number": 7, "buyer_name": "x", "billing_amount": 9007199254740.93, "currency": "USD"}'
    (taken,) = read(write(content, heading=""))
    assert isinstance(taken, ImportedInvoice)
    assert (taken.number, taken.amount) == ("7", 900_719_925_474_093)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1]", "write one JSON object a line"),
        ("nonsense", "write one JSON object a line"),
        ('{"number": "1"', "write one JSON object a line"),
        ("[" * 50_000, "write one JSON object a line"),
        ('{"number": "1", "number": "2"}', "number: it is there twice"),
        ('{"Number": "1"}', "there is no 'Number'"),
        ('{"number": "1"}', "buyer_name, billing_amount, currency missing"),
        ('{"number": ["1"], "buyer_name": "x"}', "number: write it as a string"),
        ('{"number": true}', "number: write it as a string"),
        ('{"number":"1","buyer_name":"\\ud800","billing_amount":"1","currency":"USD"}', "buyer_name: write"),
        ('{"number":"1","buyer_name":"x","billing_amount":1e3,"currency":"USD"}', "billing_amount: write"),
        ('{"number":"1","buyer_name":"x","billing_amount":NaN,"currency":"USD"}', "billing_amount: write"),
    ],
)
def test_a_bad_line_of_json_is_refused_with_its_reason(write: Write, line: str, reason: str) -> None:
    good = '{"number": "A", "buyer_name": "x", "billing_amount": "1", "currency": "USD"}'
    first, bad, last = outcomes(write(f"{good}\n{line}\n{good}", heading=""))
    assert (first, last) == ("A", "A")
    assert bad.startswith("2: ")
    assert reason in bad


def test_the_template_can_be_imported(tmp_path: Path) -> None:
    path = tmp_path / "template.csv"
    path.write_text(TEMPLATE)
    assert outcomes(path) == ["INV-1001", "INV-1002", "INV-1003"]


def test_a_refused_number_is_told_on_one_short_line_without_control_characters(write: Write) -> None:
    [escape, long] = read(write(row(number="INV\x1b[2J-1") + row(number="9" * 5_000)))
    assert isinstance(escape, BadLine)
    assert escape.number == "INV [2J-1"
    assert isinstance(long, BadLine)
    assert len(long.number) == 100


def test_a_file_of_a_million_columns_is_told_for_what_it_is(write: Write) -> None:
    with pytest.raises(
        FileUnusable, match="can't be read: line 1: write the record in at most 100,000 characters"
    ):
        read(write("x" + "," * RECORD_LENGTH, heading=HEADING + "," * RECORD_LENGTH + "\n"))
