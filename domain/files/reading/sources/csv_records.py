"""Records of CSV, each of them whole: what stands within a field is never read as a record of its own.

A field in quotation marks goes on to its closing mark, over as many lines as it takes, however long that is and whatever
else is wrong with the record. Only where a mark isn't closed anywhere in the rest of the file is it taken for a stray one:
its line is refused, and the next line is looked at by itself.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from math import inf

from domain.files.import_fields import Problem
from domain.files.reading.records import Record
from domain.files.reading.sources.content import Content
from domain.files.reading.sources.text import RECORD_LENGTH, Lines

HEADING_LINES = 1_000
"""A heading is looked for in so many lines, blank ones included."""
MOST_CELLS = 20_000
"""A spreadsheet has 16,384 columns."""
UNCLOSED = Problem("", "", "a quotation mark opens a field here and is never closed")
TOO_LONG = Problem("", "", f"write the record in at most {RECORD_LENGTH:,} characters")
TOO_WIDE = Problem("", "", f"write the record in at most {MOST_CELLS:,} fields")
STRAY = Problem("", "", "put fields that hold a quotation mark in quotation marks, and double those in them")
# Possessive: a doubled mark at the end must never be taken for a closing one.
_QUOTED = re.compile(r'((?:[^"]++|"")*+)"')
_WITHIN_MARKS = re.compile(r'(?:[^"]++|"")*+')


class CsvRecords:
    """The records of a file. ``strict``: marks that don't stand where they should are refused, and not taken for letters."""

    def __init__(self, content: Content, encoding: str, separator: str, *, strict: bool) -> None:
        self._content = content
        self._encoding = encoding
        self._separator = separator
        self._strict = strict
        self._unquoted = re.compile(rf"[^{re.escape(separator)}\r\n]*")
        # Blanks before a mark are passed over, else what stands within the marks would be read as records.
        self._opening = re.compile(r'[ ]*("?)' if separator == "\t" else r'[ \t]*("?)')
        # A record on one line, all of whose marks stand where they should: nearly all are so.
        field = rf'(?:"(?:[^"\r\n]|"")*+"|[^"{re.escape(separator)}\r\n]*+)'
        self._simple = re.compile(rf"{field}(?:{re.escape(separator)}{field})*+[\r\n]*")
        # Fields with what ends them, however many: a line of a million fields is passed over at once.
        between = re.escape(separator)
        blanks = "[ ]*+" if separator == "\t" else r"[ \t]*+"
        quoted = rf'{blanks}"(?:[^"]++|"")*+"(?!")[^{between}\r\n]*+'
        plain = rf'(?!{blanks}")[^{between}\r\n]*+'
        self._fields = re.compile(rf"(?:(?:{quoted}|{plain}){between})*+")
        self._unclosed_from: int | None = None

    def __iter__(self) -> Iterator[Record]:
        """All of them, from the first line on; those without any text are passed over. Raises FileUnusable."""
        return self._records()

    def first(self) -> Iterator[Record]:
        return self._records(HEADING_LINES)

    def _records(self, most: float = inf) -> Iterator[Record]:
        """Those that begin in so many lines."""
        lines = Lines(self._content, self._encoding)
        while text := lines.next():
            if lines.number > most:
                return
            if text.isspace() and not lines.within:
                continue
            if '"' not in text and not lines.within:
                cells = text.rstrip("\r\n").split(self._separator)
                if not is_blank(cells):
                    yield self._record(lines.number, lines.number, cells)
                continue
            if not lines.within and self._simple.fullmatch(text):
                cells = next(csv.reader((text,), delimiter=self._separator))
                if not is_blank(cells):
                    yield self._record(lines.number, lines.number, cells)
                continue
            first = lines.number
            record, closed = self._whole(text, lines)
            if closed:
                read = self._read(first, lines.number, record)
                if read.fault or not is_blank(read.cells):
                    yield read
                continue
            # Known now, however often such lines follow: from here on, no open mark is ever closed.
            self._unclosed_from = first
            if lines.number > first:
                lines = Lines(self._content, self._encoding)
                lines.skip(first)
            yield Record(first, first, self._cells(record), UNCLOSED)

    def _record(self, first: int, last: int, cells: list[str]) -> Record:
        return Record(first, last, cells[:MOST_CELLS], TOO_WIDE if len(cells) > MOST_CELLS else None)

    def _whole(self, text: str, lines: Lines) -> tuple[str, bool]:
        """The record that begins with this piece (cut, if it is too long), and whether its last mark is closed.

        One that isn't is its first line only.
        """
        scan = _Scan(self._separator, self._unquoted, self._opening, self._fields)
        scan.feed(text)
        first = lines.number
        while lines.within and (more := lines.next()):
            scan.feed(more)
            if len(text) <= RECORD_LENGTH:
                text += more
        line = text
        while scan.open:
            if self._unclosed_from is not None and first >= self._unclosed_from:
                return line, False
            more = lines.next()
            if not more:
                return line, False
            scan.feed(more)
            if len(text) <= RECORD_LENGTH:
                text += more
        while lines.within and (more := lines.next()):
            scan.feed(more)
        return text, True

    def _read(self, first: int, last: int, text: str) -> Record:
        if len(text) > RECORD_LENGTH:
            return Record(first, last, self._cells(text), TOO_LONG)
        cells, stray = self._split(text)
        if stray and self._strict:
            return Record(first, last, cells, STRAY)
        return self._record(first, last, cells)

    def _cells(self, text: str) -> list[str]:
        return self._split(text[:RECORD_LENGTH])[0][:MOST_CELLS]

    def _split(self, text: str) -> tuple[list[str], bool]:
        """The fields of one record, and whether a mark stands where none may."""
        cells: list[str] = []
        at, end, stray = 0, len(text.rstrip("\r\n")), False
        while True:
            opening = self._opening.match(text, at)
            assert opening is not None
            if opening[1]:
                quoted = _QUOTED.match(text, opening.end())
                value = text[opening.end() :] if quoted is None else quoted[1]
                at = len(text) if quoted is None else quoted.end()
                rest = self._unquoted.match(text, at)
                assert rest is not None
                at = rest.end()
                stray = stray or len(opening[0]) > 1 or bool(rest[0])
                cells.append(value.replace('""', '"') + rest[0].rstrip())
            else:
                plain = self._unquoted.match(text, at)
                assert plain is not None
                at = plain.end()
                stray = stray or '"' in plain[0]
                cells.append(plain[0])
            if at >= end:
                return cells, stray
            at += 1


def is_blank(cells: Sequence[str]) -> bool:
    return not cells[0] and not any(cell.strip() for cell in cells)


class _At(Enum):
    BEGINNING = auto()
    UNQUOTED = auto()
    QUOTED = auto()
    MARK = auto()
    """Behind a mark within a quoted field that either closes it or is doubled."""


class _Scan:
    """Where a record that comes in pieces is: whether a quoted field is open at the end of what was fed."""

    def __init__(
        self,
        separator: str,
        unquoted: re.Pattern[str],
        opening: re.Pattern[str],
        fields: re.Pattern[str],
    ) -> None:
        self._separator = separator
        self._fields = fields
        self._unquoted = unquoted
        self._opening = opening
        self._at = _At.BEGINNING

    @property
    def open(self) -> bool:
        return self._at is _At.QUOTED

    def feed(self, piece: str) -> None:
        at, end = 0, len(piece)
        while at < end:
            if self._at is _At.QUOTED:
                match = _WITHIN_MARKS.match(piece, at)
                assert match is not None
                at = match.end()
                if at < end:
                    at += 1
                    self._at = _At.MARK
            elif self._at is _At.MARK:
                doubled = piece[at] == '"'
                at += doubled
                self._at = _At.QUOTED if doubled else _At.UNQUOTED
            elif self._at is _At.BEGINNING:
                whole = self._fields.match(piece, at)
                assert whole is not None
                if (at := whole.end()) == end:
                    return
                opening = self._opening.match(piece, at)
                assert opening is not None
                at = opening.end()
                if opening[1] or at < end:
                    self._at = _At.QUOTED if opening[1] else _At.UNQUOTED
            else:
                match = self._unquoted.match(piece, at)
                assert match is not None
                at = match.end()
                if at < end:
                    self._at = _At.BEGINNING if piece[at] == self._separator else _At.UNQUOTED
                    at += 1
