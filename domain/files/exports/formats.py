"""The formats of an export: CSV that no spreadsheet takes for a formula, a workbook, and JSON Lines for programs."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Any, Protocol

from domain.files.exports import Format
from domain.files.exports.rows import COLUMNS, Row
from domain.files.formulas import inert
from domain.money import Money


class Writing(Protocol):
    """One file while it is written. What the methods return makes up the file, in their order."""

    def begin(self) -> bytes: ...

    def add(self, rows: Iterable[Row]) -> bytes: ...

    def end(self) -> Iterator[bytes]:
        """What is left, piece by piece."""

    def close(self) -> None:
        """Leave nothing behind, whether it came to the end or not."""


def open_writing(format: Format, *, bom: bool = False) -> Writing:
    """With ``bom`` CSV begins with a byte-order mark, without which Excel takes UTF-8 for another encoding."""
    if format is Format.XLSX:
        # An export of another format needn't wait for the library.
        from domain.files.exports.workbook import WorkbookWriting

        return WorkbookWriting()
    return CsvWriting(bom=bom) if format is Format.CSV else JsonWriting()


class _TextWriting:
    def end(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        pass


class CsvWriting(_TextWriting):
    def __init__(self, *, bom: bool) -> None:
        self._mark = "\ufeff" if bom else ""

    def begin(self) -> bytes:
        return f"{self._mark}{','.join(COLUMNS)}\n".encode()

    def add(self, rows: Iterable[Row]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([_CSV[type(value)](value) for value in row] for row in rows)
        return text.getvalue().encode()


class JsonWriting(_TextWriting):
    def begin(self) -> bytes:
        return b""

    def add(self, rows: Iterable[Row]) -> bytes:
        return "".join(map(_json_line, rows)).encode()


def written_moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _json_line(row: Row) -> str:
    written = {name: _JSON[type(value)](value) for name, value in zip(COLUMNS, row, strict=True)}
    return json.dumps(written, ensure_ascii=False) + "\n"


def _major_units(money: Money) -> str:
    return money.major_units


_CSV: dict[type, Callable[[Any], str]] = {
    str: inert,
    Money: _major_units,
    date: date.isoformat,
    datetime: written_moment,
    tuple: " ".join,
    type(None): lambda _: "",
}
_JSON: dict[type, Callable[[Any], Any]] = {
    str: str,
    Money: _major_units,
    date: date.isoformat,
    datetime: written_moment,
    tuple: list,
    type(None): lambda _: None,
}
