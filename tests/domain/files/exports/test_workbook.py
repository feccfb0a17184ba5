import zipfile
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from domain.files.exports import workbook
from domain.files.exports.rows import COLUMNS, Row, Value
from domain.files.exports.workbook import WorkbookWriting
from domain.money import Money

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
HOSTILE = [
    "=1+1",
    "<r>x</r>",
    "<r><t>a</t></r>",
    "_x0041_x0042_",
    "a\rb\r\nc\n",
    "\t 1 ",
    "001",
    "1e5",
    "TRUE",
]
TEXT = st.one_of(
    st.sampled_from([*HOSTILE, "http://a.example", "{=1}", "2026-11-30", "\u2028x", "_x000D_", "__xFFFF_"]),
    # A reader of ours leaves these two as they are written; see the test of the reader.
    st.text(st.characters(codec="utf-8", exclude_characters="\ufffe\uffff"), max_size=20),
)


def row(**values: Value) -> Row:
    return tuple(values.get(name) for name in COLUMNS)


def written(path: Path, rows: Iterable[Row]) -> Path:
    writing = WorkbookWriting()
    try:
        path.write_bytes(writing.begin() + writing.add(rows) + b"".join(writing.end()))
    finally:
        writing.close()
    return path


def read(path: Path, sheet: int = 0) -> list[dict[str, Any]]:
    heading, *rows = CalamineWorkbook.from_path(path).get_sheet_by_index(sheet).to_python()
    assert tuple(heading) == COLUMNS
    return [dict(zip(COLUMNS, each, strict=True)) for each in rows]


@given(st.lists(TEXT, min_size=1, max_size=5))
@example(HOSTILE)
def test_texts_are_texts_and_come_out_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = written(
        tmp_path_factory.getbasetemp() / "texts.xlsx", [row(number="1", description=t) for t in texts]
    )
    assert [each["description"] for each in read(path)] == texts
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml")
    assert b"<f" not in sheet
    assert b"hyperlink" not in sheet


def test_amounts_are_exact_and_have_their_currencys_format(tmp_path: Path) -> None:
    amounts = [
        Money(10**15 - 1, "USD"),
        Money(10**15, "JPY"),
        Money(-1, "KWD"),
        Money(0, "USD"),
        Money(500, "ISK"),
    ]
    path = written(tmp_path / "a.xlsx", [row(billing_amount=amount) for amount in amounts])

    with zipfile.ZipFile(path) as book:
        cells = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml")).iter(f"{MAIN}c")
        styles = ElementTree.fromstring(book.read("xl/styles.xml"))
    formats = {each.get("numFmtId"): each.get("formatCode") for each in styles.iter(f"{MAIN}numFmt")}
    # Those that every workbook knows.
    formats |= {"3": "#,##0", "4": "#,##0.00"}
    used = [each.get("numFmtId") for each in styles.find(f"{MAIN}cellXfs") or ()]
    found = [
        (cell.findtext(f"{MAIN}v"), formats[used[int(cell.get("s", "0"))]])
        for cell in cells
        if cell.get("t") != "inlineStr"
    ]
    assert found == [
        ("9999999999999.99", "#,##0.00"),
        ("1000000000000000", "#,##0"),
        ("-0.001", "#,##0.000"),
        ("0.00", "#,##0.00"),
        ("5", "#,##0"),
    ]


def test_days_are_days_and_moments_are_moments(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 2, 9, 30, 1, 500_000, tzinfo=UTC)
    days = [date(2026, 11, 30), date(1900, 3, 1), date(9999, 12, 31), date(1900, 2, 28), date(1, 1, 1)]
    found = read(written(tmp_path / "a.xlsx", [row(due_date=day, paid_at=moment) for day in days]))
    assert [each["due_date"] for each in found] == [*days[:3], "1900-02-28", "0001-01-01"]
    assert found[0]["paid_at"] == moment.replace(tzinfo=None, microsecond=0)


def test_the_heading_stays_in_sight_and_filters(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xlsx", [row(number="1"), row(number="2")])
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' in sheet
    assert '<autoFilter ref="A1:U3"/>' in sheet


def test_what_a_sheet_cant_hold_goes_on_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 2)
    path = written(tmp_path / "a.xlsx", [row(number=str(number)) for number in range(5)])
    assert CalamineWorkbook.from_path(path).sheet_names == ["Invoices", "Invoices 2", "Invoices 3"]
    assert [[each["number"] for each in read(path, sheet)] for sheet in range(3)] == [
        ["0", "1"],
        ["2", "3"],
        ["4"],
    ]


def test_the_same_invoices_make_the_same_file(tmp_path: Path) -> None:
    rows = [row(number="1", billing_amount=Money(1, "USD"), badges=("disputed", "refunded"))]
    assert written(tmp_path / "a.xlsx", rows).read_bytes() == written(tmp_path / "b.xlsx", rows).read_bytes()
    assert read(tmp_path / "a.xlsx")[0]["badges"] == "disputed refunded"


def test_nothing_is_left_behind_when_it_ends_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    writing = WorkbookWriting()
    writing.begin()
    writing.add([row(number="1")])
    assert list(tmp_path.iterdir())
    writing.close()
    assert list(tmp_path.iterdir()) == []
