"""Reading invoices from a file: CSV or JSON Lines in one dialect, each line taken as it is or refused with a reason.

CSV: UTF-8, a heading of exactly the COLUMNS and perhaps STATE, in any order, commas, fields with commas, line breaks or quotation marks
in quotation marks, and quotation marks doubled in them. JSON Lines: an object a line, with the COLUMNS as names;
those that may be blank may be missing. Blank lines are passed over.
"""

import codecs
import io
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from domain.files.import_fields import OPTIONAL, STATE, ImportedInvoice, LineRefused, read_fields

COLUMNS = (
    "number",
    "buyer_name",
    "buyer_email",
    "billing_amount",
    "currency",
    "issue_date",
    "due_date",
    "description",
)
HEADING = ",".join(COLUMNS)
TEMPLATE = f"""{HEADING}
INV-1001,Acme Corporation,billing@acme.example,1200.50,USD,2026-10-31,2026-11-30,Consulting in October
INV-1002,"Müller, Söhne & Co.",,98000,JPY,2026-10-31,2026-11-30,"Two lines,
in quotation marks"
INV-1003,Gulf Trading,ap@gulf.example,1.500,KWD,,,
"""

RECORD_LENGTH = 100_000
"""The longest record in characters; far above what its fields may hold."""
_JSON_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})
_CHUNK = 1 << 20
_UNQUOTED = re.compile(r'[^",\r\n]*')
# Possessive: a doubled mark at the end must never be taken for a closing one.
_QUOTED = re.compile(r'"((?:[^"]++|"")*+)"')
_UNCLOSED = "a quotation mark opens a field here and is never closed"


class FileUnusable(Exception):
    """Nothing can be taken from the file; ``args[0]`` is the sentence for the operator."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that wasn't taken: the file's line where it begins (from 1), why, and how to write it."""

    line: int
    reason: str


class InvoiceFile:
    """An open file of invoices. Opening it raises FileUnusable if nothing can be taken from it."""

    def __init__(self, path: Path) -> None:
        try:
            if path.exists() and not path.is_file():
                raise FileUnusable(f"{path} isn't a file")
            self.size = path.stat().st_size
            self._binary: BinaryIO = path.open("rb")
        except OSError as error:
            raise FileUnusable(f"{path} can't be opened: {error.strerror or error}") from error
        try:
            self._check_encoding(path)
            self._text: TextIO = io.TextIOWrapper(self._binary, encoding="utf-8-sig", newline="")
            self._lines = _Lines(self._text)
            self._order = self._begin(path)
        except BaseException:
            self._binary.close()
            raise

    def __enter__(self) -> "InvoiceFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._text.close()

    @property
    def bytes_read(self) -> int:
        """About how much of ``size`` has been read."""
        return self._binary.tell()

    def read(self) -> Iterator[ImportedInvoice | BadLine]:
        """Every line once: as an invoice, or as the reason why it is none."""
        while (text := self._lines.next()) is not None:
            line = self._lines.number
            if not text.strip():
                continue
            try:
                if len(text) > RECORD_LENGTH:
                    raise LineRefused(f"the line is longer than {RECORD_LENGTH:,} characters")
                yield read_fields(line, self._split(text))
            except LineRefused as refused:
                yield BadLine(line, str(refused))

    def _check_encoding(self, path: Path) -> None:
        """Before anything is written: what isn't UTF-8 somewhere is taken nowhere."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := self._binary.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise FileUnusable(f"{path} isn't UTF-8: save it as UTF-8 and import it again") from error
        self._binary.seek(0)

    def _begin(self, path: Path) -> tuple[str, ...] | None:
        """The columns in the file's order; None for JSON Lines."""
        first = self._lines.next()
        while first is not None and not first.strip():
            first = self._lines.next()
        heading = _heading(first or "")
        if sorted(heading) in (sorted(COLUMNS), sorted((*COLUMNS, STATE))):
            return heading
        if (first or "").lstrip().startswith("{") or path.suffix.lower() in _JSON_SUFFIXES:
            if first is not None:
                self._lines.push_back([first])
            return None
        raise FileUnusable(f"{path} doesn't begin with the heading {HEADING} (commas between the names)")

    def _split(self, text: str) -> dict[str, str]:
        if self._order is None:
            return _read_json(text)
        if '"' in text:
            values = self._lines.finish_record(text, self._check_fields)
        else:
            values = text.rstrip("\r\n").split(",")
            self._check_fields(values)
        return dict(zip(self._order, values, strict=True))

    def _check_fields(self, values: list[str]) -> None:
        assert self._order is not None
        if len(values) != len(self._order):
            counted = f"{len(values)} fields instead of {len(self._order)}"
            more = len(values) > len(self._order)
            raise LineRefused(counted + ": put a field that holds a comma in quotation marks" * more)
        for name, value in zip(self._order, values, strict=True):
            if ("\n" in value or "\r" in value) and name != "description":
                raise LineRefused(f"{name}: a quotation mark opens it and isn't closed in this line")


class _Lines:
    """The file's lines with their numbers; lines can be put back, and one too long comes cut."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._pushed: deque[str] = deque()
        self.number = 0

    def next(self) -> str | None:
        """The next line with its end, at most RECORD_LENGTH + 1 characters of it; None after the last."""
        if self._pushed:
            self.number += 1
            return self._pushed.popleft()
        try:
            return self._read()
        except (OSError, UnicodeDecodeError) as error:
            raise FileUnusable("the file changed, or can't be read any more: import it again") from error

    def _read(self) -> str | None:
        line = self._text.readline(RECORD_LENGTH + 1)
        if not line:
            return None
        self.number += 1
        if len(line) > RECORD_LENGTH:
            rest = line
            while rest and rest[-1] not in "\r\n":
                rest = self._text.readline(RECORD_LENGTH)
        return line

    def push_back(self, lines: list[str]) -> None:
        self._pushed.extendleft(reversed(lines))
        self.number -= len(lines)

    def finish_record(self, first: str, check: Callable[[list[str]], None]) -> list[str]:
        """The fields of the record that begins with this line, which may go on over the next ones.

        When it is refused, only its first line is used up: whatever follows is looked at by itself.
        """
        record, more = first, []
        try:
            while (fields := _parse(record)) is None:
                following = ""
                while '"' not in following:
                    if (line := self.next()) is None:
                        raise LineRefused(_UNCLOSED)
                    more.append(line)
                    following += line
                    if len(record) + len(following) > RECORD_LENGTH:
                        raise LineRefused(_UNCLOSED)
                record += following
            check(fields)
        except LineRefused:
            self.push_back(more)
            raise
        return fields


def _heading(text: str) -> tuple[str, ...]:
    try:
        return tuple(_parse(text) or ())
    except LineRefused:
        return ()


def _parse(record: str) -> list[str] | None:
    """The fields of a CSV record; None while a quoted one is open at its end."""
    fields, at = [], 0
    while True:
        quoted = record.startswith('"', at)
        match = (_QUOTED if quoted else _UNQUOTED).match(record, at)
        if match is None:
            return None
        at = match.end()
        fields.append(match[1].replace('""', '"') if quoted else match[0])
        if record[at:].strip("\r\n") == "":
            return fields
        if record[at] != ",":
            raise LineRefused(
                "put fields that hold a quotation mark in quotation marks, and double those in them"
            )
        at += 1


def _read_json(text: str) -> dict[str, str]:
    try:
        # Numbers stay as they are written: no float touches an amount.
        pairs = json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        pairs = None
    if not isinstance(pairs, _Pairs):
        raise LineRefused("write one JSON object a line")
    values: dict[str, str] = {}
    for name, value in pairs:
        if name not in COLUMNS and name != STATE:
            raise LineRefused(f"there is no {name[:60]!r}: the names are {HEADING}")
        if name in values:
            raise LineRefused(f"{name} is there twice")
        if value is None:
            value = ""
        if not isinstance(value, str):
            raise LineRefused(f"{name}: write it as a string")
        values[name] = value
    if missing := [name for name in COLUMNS if name not in values and name not in OPTIONAL]:
        raise LineRefused(f"{', '.join(missing)} missing")
    return dict.fromkeys(COLUMNS, "") | values


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its names as written, repeated ones included."""
