"""Any text at all in a file of invoices."""

import io
from csv import writer as csv_writer

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.files.formulas import is_inert_form
from domain.files.import_fields import COLUMNS, ImportedInvoice
from domain.files.reading.plain import HEADING
from domain.files.reading.records import FileUnusable
from domain.invoices.numbers.keys import number_key
from tests.domain.files.reading.plain_files import read

_FIELDS = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30
).map(lambda text: text.strip() or "x")


@example([("1", "x", "'=")])
@given(st.lists(st.tuples(_FIELDS, _FIELDS, _FIELDS), max_size=5, unique_by=lambda row: number_key(row[0])))
def test_what_a_csv_writer_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    text = io.StringIO()
    csv = csv_writer(text)
    csv.writerow(COLUMNS)
    for number, name, description in rows:
        csv.writerow([number, name, "", "1.00", "USD", "", "", f"{description}\n{description}"])
    path = tmp_path_factory.getbasetemp() / "generated.csv"
    path.write_bytes(text.getvalue().encode())
    written = [(number, name, f"{description}\n{description}") for number, name, description in rows]
    taken = [one for one in read(path) if isinstance(one, ImportedInvoice)]
    # Of what looks as if an export had put an apostrophe in, nobody can say.
    assert [(one.number, one.buyer_name, one.description) for one in taken] == [
        texts for texts in written if not any(map(is_inert_form, texts))
    ]


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.sampled_from(["csv", "jsonl"]))
def test_no_file_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, text: str, suffix: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"any.{suffix}"
    path.write_bytes(f"{HEADING}\n{text}".encode() if suffix == "csv" else text.encode())
    try:
        for one in read(path):
            assert one.line >= 1
    except FileUnusable:
        assert suffix == "jsonl"
