"""The file of what was refused: given back to whoever brought it in, however much that is."""

import csv
import io

import pytest

from domain.files.import_fields import Problem
from domain.files.reading.invoice_file import InvoiceFile
from domain.files.reading.records import BadLine
from domain.files.reading.sources.content import Content
from domain.imports import reading
from domain.imports.reading import RefusedFile


def test_of_very_many_the_first_are_given_back_and_the_rest_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_REFUSED", 1_000)
    bad = BadLine(2, 2, (Problem("number", "", "write it"),), cells=["x" * 100])
    with Content.of_bytes(b"number,buyer_name,billing_amount,currency\n", "a.csv") as content:
        refused = RefusedFile(InvoiceFile(content))
    for _ in range(10_000):
        refused.add(bad)
    given = refused.content()
    assert given is not None
    assert len(given) < 2_000
    rows = list(csv.reader(io.StringIO(given.decode("utf-8-sig"))))
    assert rows[-1][-1] == f"{10_000 - (len(rows) - 2):,} more were refused"
