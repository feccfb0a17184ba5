"""A workbook for Excel and its like: texts are texts, amounts are exact, days are days; memory stays flat.

The rows wait in a temporary file, since a workbook can only be put together at its end.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format as CellFormat
from xlsxwriter.worksheet import Worksheet

from domain.files.exports.rows import COLUMNS, Row, Value
from domain.files.formulas import marked
from domain.money import Money

SHEET = "Invoices"
SHEET_ROWS = 1_048_575
"""Below the heading; what is more goes on further sheets."""
# Before it Excel counts a day that there never was, and others don't: earlier days are written as texts.
FIRST_DAY = date(1900, 3, 1)
_WIDTHS = {"number": 18, "buyer_name": 32, "buyer_email": 28, "description": 32, "payment_link_url": 40}
_WIDTH = 16
_PIECE = 1 << 20
# The text's own characters that XML can't hold, and what would be read as such a sign; and what the library takes for
# markup of its own and writes as it is.
_UNWRITABLE = re.compile(r"_(?=x[0-9a-fA-F]{4}_)|[\x00-\x08\x0b-\x1f\ufffe\uffff]|^<(?=r>)")


class _Sheet(Worksheet):  # type: ignore[misc]
    """Texts go in whole, whatever they hold (decision 0022)."""

    @staticmethod
    def _escape_control_characters(data: str) -> str:
        return _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", data)


class WorkbookWriting:
    """A Writing whose file comes at its end alone."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="paylink-export-")
        self._path = Path(self._directory.name) / "export.xlsx"
        self._book = Workbook(
            str(self._path),
            {"constant_memory": True, "tmpdir": self._directory.name, "use_zip64": True},
        )
        # The same invoices make the same file.
        self._book.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001 - the library takes no zone
        self._heading = self._book.add_format({"bold": True})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._moment = self._book.add_format({"num_format": 'yyyy-mm-dd"T"hh:mm:ss"Z"'})
        self._amounts: dict[int, CellFormat] = {}
        self._sheet: Worksheet | None = None
        self._row = 0

    def begin(self) -> bytes:
        self._begin_sheet()
        return b""

    def add(self, rows: Iterable[Row]) -> bytes:
        for row in rows:
            if self._row == SHEET_ROWS:
                self._begin_sheet()
            self._row += 1
            for column, value in enumerate(row):
                if value:
                    self._write(column, value)
        return b""

    def end(self) -> Iterator[bytes]:
        self._end_sheet()
        self._book.close()
        with self._path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def close(self) -> None:
        for sheet in self._book.worksheets():
            sheet._opt_close()  # an open file of the library's, if the end didn't come
        self._directory.cleanup()

    def _begin_sheet(self) -> None:
        self._end_sheet()
        count = len(self._book.worksheets())
        name = SHEET if count == 0 else f"{SHEET} {count + 1}"
        self._sheet = self._book.add_worksheet(name, worksheet_class=_Sheet)
        self._row = 0
        self._sheet.freeze_panes(1, 0)
        for column, title in enumerate(COLUMNS):
            self._sheet.set_column(column, column, _WIDTHS.get(title, _WIDTH))
            self._sheet.write_string(0, column, title, self._heading)

    def _end_sheet(self) -> None:
        if self._sheet is not None:
            self._sheet.autofilter(0, 0, self._row, len(COLUMNS) - 1)

    def _write(self, column: int, value: Value) -> None:
        sheet: Any = self._sheet
        if isinstance(value, str):
            sheet.write_string(self._row, column, marked(value))
        elif isinstance(value, Money):
            sheet.write_number(self._row, column, Decimal(value.major_units), self._format_of(value))
        elif isinstance(value, datetime):
            sheet.write_datetime(self._row, column, value.replace(microsecond=0, tzinfo=None), self._moment)
        elif isinstance(value, date):
            if value < FIRST_DAY:
                sheet.write_string(self._row, column, value.isoformat())
            else:
                sheet.write_datetime(self._row, column, value, self._day)
        elif value is not None:
            sheet.write_string(self._row, column, " ".join(value))

    def _format_of(self, money: Money) -> CellFormat:
        """With as many decimals as its currency has."""
        decimals = len(money.major_units.partition(".")[2])
        if decimals not in self._amounts:
            digits = "#,##0" + ("." + "0" * decimals if decimals else "")
            self._amounts[decimals] = self._book.add_format({"num_format": digits})
        return self._amounts[decimals]
