"""An export that is imported changes nothing, whatever the invoices say, in each format and whatever was done to its columns."""

import csv
import io
import itertools
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from domain.database import Database
from domain.files.exporting import export_all
from domain.files.exports import Format, workbook
from domain.files.exports.rows import COLUMNS
from domain.files.import_fields import COLUMNS as TAKEN
from domain.files.importing import ImportResult, take
from domain.files.reading.invoice_file import Choices, InvoiceFile, open_path
from domain.files.reading.records import BadLine, FileUnusable
from domain.files.reading.sources.content import Content
from domain.invoices.numbers.keys import number_key
from domain.money import SUPPORTED
from domain.organisations import organisations
from tests.domain.factories import NOW, make_invoice, make_link, make_organisation
from tests.domain.files.test_formulas import ANY_TEXT

_teams = itertools.count(1)
# What an import takes: nothing blank around it, and no control characters but for breaks and tabs in the description.
LINE = ANY_TEXT.map(
    lambda text: "".join(char for char in text if char.isprintable() or char in "\u00a0\u200b\u2028")
)
HOSTILE = [
    "=1+1",
    "'=1",
    "''=1",
    "Acme;=cmd|' /C calc'!A0;x",
    "<r>x</r>",
    "_x0041_x0042_",
    "_xFFFE_",
    "001",
    "1e5",
]
NAME = st.one_of(st.sampled_from([*HOSTILE, "\ufffe"]), LINE.map(str.strip).filter(bool))
NUMBER = NAME.filter(lambda text: len(text) <= 60)
EMAIL = st.sampled_from(["", "a@b.example", "+x@y.example", "=1;-2@y", "a,b;@c@d.example".replace(";@c", "")])
DESCRIPTION = st.one_of(st.sampled_from([*HOSTILE, "- a\r\n- b\r-c", "a,\n\n-b", '"=1"']), ANY_TEXT).map(
    lambda text: "".join(char for char in text if char.isprintable() or char in "\n\r\t\u2028").strip()
)
AMOUNT = st.one_of(st.integers(-(10**6), 10**6), st.sampled_from([10**15, -(10**15), 0]))


@st.composite
def invoices(draw: st.DrawFn) -> list[dict[str, Any]]:
    numbers = draw(st.lists(NUMBER, min_size=1, max_size=4, unique_by=number_key))
    made = []
    for number in numbers:
        currency = draw(st.sampled_from(sorted(SUPPORTED)))
        amount = draw(AMOUNT)
        if currency in ("ISK", "UGX"):
            amount -= amount % 100
        made.append(
            {
                "number": number,
                "buyer_name": draw(NAME),
                "buyer_email": draw(EMAIL),
                "description": draw(DESCRIPTION),
                "amount": amount,
                "currency": currency,
                "issue_date": draw(st.none() | st.dates()),
                "due_date": draw(st.none() | st.dates()),
            }
        )
    return made


def an_organisation(db: Database, *made: dict[str, Any]) -> str:
    """Its team: one with these invoices and no others."""
    team = f"T0EXPORT{next(_teams)}"
    organisation = make_organisation(db, team)
    for values in made:
        make_invoice(db, organisation_id=organisation, **values)
    return team


def exported(db: Database, team: str, format: Format, *, bom: bool = False) -> bytes:
    organisation = db.run(organisations.get_by_team, team)
    return b"".join(export_all(db, organisation.id, format=format, bom=bom))


def imported(db: Database, team: str, data: bytes) -> tuple[ImportResult, list[BadLine]]:
    bad: list[BadLine] = []
    with Content.of_bytes(data, "invoices") as content:
        file = InvoiceFile(content, Choices())
        organisation = db.run(organisations.get_by_team, team)
        return take(db, organisation, file.read(), now=NOW, on_bad=bad.append), bad


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(made=invoices(), format=st.sampled_from([Format.CSV, Format.JSONL, Format.XLSX]), bom=st.booleans())
@example(
    made=[{"number": text, "buyer_name": text, "description": text} for text in HOSTILE if text != "''=1"],
    format=Format.CSV,
    bom=False,
)
@example(
    made=[{"number": text, "buyer_name": text, "description": text} for text in HOSTILE],
    format=Format.XLSX,
    bom=False,
)
def test_an_export_that_is_imported_changes_nothing(
    db: Database, made: list[dict[str, Any]], format: Format, bom: bool
) -> None:
    team = an_organisation(db, *made)
    before = exported(db, team, format, bom=bom and format is Format.CSV)

    result, bad = imported(db, team, before)

    assert (result.new, result.updated) == (0, 0), bad
    lost = [one for one in bad if "a workbook can't hold" not in one.reason or format is not Format.XLSX]
    assert lost == []
    assert exported(db, team, format, bom=bom and format is Format.CSV) == before


def saved_as_workbook(path: Path, data: bytes) -> Path:
    """A CSV file as a spreadsheet saves it: what it shows of each cell, as texts."""
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        # The library's own sheet makes other texts of some (decision 22).
        sheet = book.add_worksheet(worksheet_class=workbook._Sheet)
        for at, row in enumerate(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))):
            for column, cell in enumerate(row):
                sheet.write_string(at, column, cell)
    return path


def saved_as_csv(data: bytes, separator: str = ",") -> bytes:
    """A workbook as a spreadsheet saves it as CSV: texts as they are, days and amounts in ISO form."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
    for row in sheet.to_python():
        writer.writerow(cell.isoformat() if isinstance(cell, date) else cell for cell in row)
    return text.getvalue().encode()


@pytest.fixture
def team(db: Database) -> str:
    """An organisation whose invoices hold everything that was ever in the way."""
    made = [
        {"number": f"{text}{n}", "buyer_name": text, "description": text} for n, text in enumerate(HOSTILE)
    ]
    return an_organisation(db, *made, {"number": "INV-1", "due_date": None})


def test_csv_that_was_saved_as_a_workbook_changes_nothing(db: Database, team: str, tmp_path: Path) -> None:
    before = exported(db, team, Format.CSV)

    result, bad = imported(db, team, saved_as_workbook(tmp_path / "a.xlsx", before).read_bytes())

    assert (result.new, result.updated, result.unchanged + len(bad)) == (0, 0, len(HOSTILE) + 1)
    assert {one.number for one in bad} <= {"_xFFFE_6"}
    assert exported(db, team, Format.CSV) == before


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_workbook_that_was_saved_as_csv_changes_nothing(db: Database, team: str, separator: str) -> None:
    before = exported(db, team, Format.CSV)

    result, bad = imported(db, team, saved_as_csv(exported(db, team, Format.XLSX), separator))

    assert (result.new, result.updated, result.unchanged + len(bad)) == (0, 0, len(HOSTILE) + 1)
    assert {one.number for one in bad} <= {"_xFFFE_6"}
    assert exported(db, team, Format.CSV) == before


def columns(data: bytes, names: dict[str, str]) -> bytes:
    """The file with its columns renamed; those that are given no name are left out."""
    heading, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
    kept = [at for at, name in enumerate(heading) if names.get(name, name)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names.get(heading[at], heading[at]) for at in kept)
    writer.writerows([row[at] for at in kept] for row in rows)
    return text.getvalue().encode()


BESIDES = [name for name in COLUMNS if name not in (*TAKEN, "state")]


@pytest.mark.parametrize(
    "names",
    [
        dict.fromkeys(BESIDES, ""),
        {**dict.fromkeys(BESIDES, ""), "state": ""},
        dict.fromkeys(BESIDES[1:], ""),
        {"stripe_payment": "Payment"},
        {"number": "Number"},
        {"description": "Description"},
        {"due_date": ""},
        {"state": ""},
        {
            "number": "InvoiceNumber",
            "buyer_name": "ContactName",
            "billing_amount": "Total",
            "currency": "Currency",
        },
        {"number": "Invoice Number", "buyer_name": "Customer Name", "billing_amount": "Total"},
    ],
    ids=lambda names: " ".join(f"{name}={new}" for name, new in names.items())[:60],
)
def test_an_export_whose_columns_were_renamed_or_left_out_makes_no_other_invoice(
    db: Database, team: str, names: dict[str, str]
) -> None:
    before = exported(db, team, Format.CSV)
    known = {invoice.number_key for invoice in read_all(before)}

    taken: list[Any] = []
    with suppress(FileUnusable):
        taken = read_all(columns(before, names))

    buyers = {invoice.number_key: invoice.buyer_name for invoice in read_all(before)}
    assert {invoice.number_key for invoice in taken} <= known
    assert {invoice.number_key: invoice.buyer_name for invoice in taken}.items() <= buyers.items()


def read_all(data: bytes) -> list[Any]:
    with Content.of_bytes(data, "invoices") as content:
        return [one for one in InvoiceFile(content).read() if hasattr(one, "buyer_name")]


def test_an_export_of_more_than_a_sheet_holds_is_read_to_its_end(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 2)
    team = an_organisation(db, *({"number": f"INV-{n}"} for n in range(5)))
    result, bad = imported(db, team, exported(db, team, Format.XLSX))
    assert (result.unchanged, bad) == (5, [])


def test_what_is_beside_the_invoice_is_passed_over(db: Database) -> None:
    team = an_organisation(db)
    organisation = db.run(organisations.get_by_team, team)
    make_link(db, make_invoice(db, "INV-1", organisation_id=organisation.id), badges="disputed")
    for kind in Format:
        result, bad = imported(db, team, exported(db, team, kind))
        assert (result.unchanged, bad) == (1, [])


def test_a_plain_file_with_an_apostrophe_before_a_formula_is_refused_and_as_json_it_is_taken(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("number,buyer_name,billing_amount,currency\n'=1,Acme,1,USD\nA-1,O'Neil + Sons,1,USD\n")
    with open_path(path) as file:
        first, second = file.read()
    assert isinstance(first, BadLine)
    assert "JSON Lines" in first.reason
    assert not isinstance(second, BadLine)
    path.write_text('{"number": "\'=1", "buyer_name": "A", "billing_amount": "1", "currency": "USD"}\n')
    with open_path(path) as file:
        [taken] = file.read()
    assert not isinstance(taken, BadLine)
    assert taken.number == "'=1"
