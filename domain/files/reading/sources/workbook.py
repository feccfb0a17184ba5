"""Excel workbooks (.xlsx): each sheet as records, with what a cell's type says.

A workbook is a stranger's: unpacked, it may be a thousand times as large, and a sheet of two cells may be said to have
17 thousand million. So another process reads it, with a limit to its memory and its time, and writes the rows that it
finds to a temporary file; whatever happens to it is a sentence here.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from domain.files.import_fields import shown
from domain.files.reading.records import Exact, FileUnusable, Record
from domain.files.reading.sources import workbook_process
from domain.files.reading.sources.content import Content
from domain.files.reading.sources.csv_records import MOST_CELLS, TOO_WIDE

SECONDS = 1_200
"""By the clock, on a machine that others use: what ends a hostile one is the limit of its CPU."""


class Workbook:
    """``sheets`` in the workbook's order, those that are hidden last. Raises FileUnusable."""

    def __init__(self, content: Content) -> None:
        with tempfile.TemporaryDirectory(prefix="paylink-") as place:
            book = Path(place) / "book.xlsx"
            with book.open("wb") as copy:
                source = content.beginning()
                while piece := source.read(1 << 20):
                    copy.write(piece)
            _run(content.name, book)
            self.sheets = [Sheet(one.open("rb"), content) for one in sorted(Path(place).glob("*.rows"))]


class Sheet:
    """The rows of a sheet. They are kept in a file without a name, which ends with the workbook's content."""

    def __init__(self, rows: BinaryIO, content: Content) -> None:
        self._rows = rows
        content.close_too(rows)

    def first(self) -> Iterator[Record]:
        return iter(self)

    def __iter__(self) -> Iterator[Record]:
        """All rows that have any text. A number is the shortest decimal that is the same float, a day is as in ISO 8601."""
        self._rows.seek(0)
        for text in self._rows:
            row, cells, exact = json.loads(text)
            for at in exact:
                cells[at] = Exact(cells[at])
            yield Record(row, row, cells, TOO_WIDE if len(cells) > MOST_CELLS else None)


def _run(name: str, book: Path) -> None:
    command = [sys.executable, "-I", workbook_process.__file__, str(book)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        raise FileUnusable(f"{name} takes too long to read: export fewer invoices at once, or CSV") from None
    if done.returncode == workbook_process.DAMAGED:
        why = shown(done.stdout)
        raise FileUnusable(f"{name} is a damaged workbook{f' ({why})' if why else ''}: save it again")
    if done.returncode == workbook_process.PASSWORD:
        raise FileUnusable(f"{name} is an Excel workbook with a password: save it without one")
    if done.returncode == workbook_process.SHEETS:
        raise FileUnusable(
            f"{name} has more than {workbook_process.MOST_SHEETS} sheets: save the one with the invoices by itself"
        )
    if done.returncode:
        raise FileUnusable(f"{name} is too large a workbook: export fewer invoices at once, or CSV")
