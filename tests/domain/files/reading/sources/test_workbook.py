"""Excel workbooks, good and hostile."""

import io
import time
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
import xlsxwriter

from domain.files.reading.invoice_file import Undecided
from domain.files.reading.records import FileUnusable
from domain.files.reading.sources import workbook_process
from tests.domain.files.reading.reading import told

AKAUNTING = ("invoice_number", "status", "invoiced_at", "due_at", "amount", "currency_code", "contact_name")
PLAIN = ("number", "buyer_name", "billing_amount", "currency", "due_date")
DUE = date(2026, 11, 30)
Rows = list[tuple[Any, ...]]


def book(sheets: dict[str, Rows], **options: Any) -> bytes:
    data = io.BytesIO()
    workbook = xlsxwriter.Workbook(data, options)
    day = workbook.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in sheets.items():
        sheet = workbook.add_worksheet(name)
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(at, column, datetime.combine(value, datetime.min.time()), day)
                else:
                    sheet.write(at, column, value)
    workbook.close()
    return data.getvalue()


def changed(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name.endswith(part) else old.read(name))
    return found.getvalue()


@pytest.mark.parametrize("system", [{}, {"date_1904": True}])
def test_numbers_are_exact_and_days_are_the_workbooks(system: dict[str, Any]) -> None:
    rows: Rows = [
        ("Invoices of November",),
        (),
        AKAUNTING,
        ("A-1", "sent", DUE, DUE, 1200.5, "USD", "Heron"),
        (21, "sent", DUE, DUE, 98000, "JPY", "Heron"),
        ("A-2", "sent", DUE, DUE, 98000.5, "JPY", "Heron"),
        ("A-3", "sent", DUE, 46356, 0.1, "USD", "Heron"),
        ("A-4", "sent", DUE, "30/11/2026", "1.200,50", "USD", "Heron"),
    ]
    assert told(book({"Invoices": rows}, **system), name="invoices.xlsx") == [
        "A-1 USD 1,200.50 2026-11-30",
        "21 JPY 98,000 2026-11-30",
        "line 6: billing_amount: JPY amounts have no decimals: write it exactly (it says “98000.5”)",
        "line 7: due_date: write a date of the calendar, such as 30/11/2026 (it says “46356”)",
        "A-4 USD 1,200.50 2026-11-30",
    ]


def test_the_sheet_with_a_known_heading_is_taken_whatever_it_is_called() -> None:
    sheets: dict[str, Rows] = {
        "Read me": [("Hello",)],
        "<!channel> &amp;": [PLAIN, ("P-1", "Heron", 12.5, "USD", DUE), ("P-2", "Heron", 7, "USD", None)],
    }
    assert told(book(sheets)) == ["P-1 USD 12.50 2026-11-30", "P-2 USD 7.00"]


def test_more_sheets_than_files_may_be_open_are_a_sentence() -> None:
    rows: Rows = [PLAIN, ("P-1", "Acme", 1, "USD")]
    most = workbook_process.MOST_SHEETS
    assert told(book({f"S{at}": [] for at in range(most - 1)} | {"last": rows})) == ["P-1 USD 1.00"]
    with pytest.raises(FileUnusable, match="more than 200 sheets"):
        told(book({f"S{at}": [] for at in range(most)} | {"last": rows}))


def test_an_unknown_heading_is_asked_for_and_no_row_is_a_sentence() -> None:
    with pytest.raises(Undecided, match="its columns are a, b"):
        told(book({"S": [("a", "b"), (1, 2)]}))
    with pytest.raises(FileUnusable, match="has no row"):
        told(book({"S": []}))


@pytest.mark.parametrize(
    ("part", "change", "sentence"),
    [
        (
            "sheet1.xml",
            lambda xml: xml.replace(
                b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
            ),
            "too large",
        ),
        ("sheet1.xml", lambda xml: xml + b" " * 100_000_000, "far too large"),
        ("sheet1.xml", lambda xml: xml[:200], "damaged"),
        ("workbook.xml", lambda xml: b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + xml[:100], "damaged"),
    ],
    ids=["cells", "zip bomb", "cut", "entities"],
)
def test_a_hostile_workbook_is_a_sentence(part: str, change: Callable[[bytes], bytes], sentence: str) -> None:
    began = time.monotonic()
    with pytest.raises(FileUnusable, match=sentence):
        told(changed(book({"S": [PLAIN, ("P-1", "Heron", 1, "USD", None)]}), part, change))
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, r"an Excel workbook of the old kind \(.xls\)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "with a password"),
        (b"%PDF-1.7\n", "is a PDF"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
        (b"<html><table></table></html>", "is a web page"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"PK\x03\x04broken", "damaged"),
    ],
)
def test_what_cannot_be_used_says_what_it_is(data: bytes, sentence: str) -> None:
    with pytest.raises(FileUnusable, match=sentence):
        told(data)
