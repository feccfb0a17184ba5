from datetime import date
from pathlib import Path

import pytest

from domain.files.import_fields import COLUMNS, ImportedInvoice
from domain.files.reading.plain import HEADING, TEMPLATE
from domain.files.reading.records import FileUnusable
from domain.files.reading.sources.text import RECORD_LENGTH
from tests.domain.files.reading.plain_files import GOOD, Write, outcomes, read, row, write

__all__ = ["write"]


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


def test_the_template_can_be_imported(tmp_path: Path) -> None:
    path = tmp_path / "template.csv"
    path.write_text(TEMPLATE)
    assert outcomes(path) == ["INV-1001", "INV-1002", "INV-1003"]


def test_a_file_of_a_million_columns_is_told_for_what_it_is(write: Write) -> None:
    with pytest.raises(
        FileUnusable, match="can't be read: line 1: write the record in at most 100,000 characters"
    ):
        read(write("x" + "," * RECORD_LENGTH, heading=HEADING + "," * RECORD_LENGTH + "\n"))
