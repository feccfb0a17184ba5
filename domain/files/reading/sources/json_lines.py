"""JSON Lines: an object a line, with the names of the fields; those that may be blank may be missing."""

import json
from collections.abc import Iterator
from typing import Any

from domain.files.exports.rows import COLUMNS as EXPORTED
from domain.files.import_fields import COLUMNS, OPTIONAL, STATE, Problem, RecordRefused, read_fields, shown
from domain.files.reading.numbers_again import NumbersAgain
from domain.files.reading.records import BadLine, Item, Unreadable
from domain.files.reading.sources.content import Content
from domain.files.reading.sources.csv_records import TOO_LONG
from domain.files.reading.sources.text import RECORD_LENGTH, UTF_8, Lines
from domain.invoices.numbers.keys import number_key

_NAMES = (*COLUMNS, STATE)
_PASSED_OVER = frozenset(EXPORTED).difference(_NAMES)
"""What an export says besides."""


_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})


def is_json_lines(content: Content) -> bool:
    """By the first line that isn't blank, or by the file's name."""
    start = content.beginning().read(RECORD_LENGTH).removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith(b"{") or (content.suffix in _SUFFIXES and not start.startswith(b"number,"))


class JsonLines:
    """The objects of a file."""

    layout = "json-lines"
    heading = _NAMES

    def __init__(self, content: Content) -> None:
        self._content = content

    def __iter__(self) -> Iterator[Item]:
        for line, text, values, refused in self._objects():
            if refused is None:
                try:
                    yield read_fields(line, values)
                    continue
                except RecordRefused as error:
                    refused = error
            number = values.get("number", "").strip()
            cells = [values.get(name, "") for name in _NAMES] if values else [text.rstrip("\r\n")]
            yield BadLine(line, line, refused.problems, shown(number), cells, number_key(number))

    def _objects(self) -> Iterator[tuple[int, str, dict[str, str], RecordRefused | None]]:
        """The values of each line that isn't blank, or why it has none."""
        lines = Lines(self._content, UTF_8)
        while text := lines.next():
            line = lines.number
            too_long = lines.within and len(text) >= RECORD_LENGTH
            if text.isspace() and not too_long:
                continue
            try:
                if too_long:
                    _pass_over(lines)
                    raise RecordRefused(TOO_LONG)
                yield line, text, read_object(text), None
            except RecordRefused as refused:
                yield line, text, {}, refused

    def numbers_again(self) -> NumbersAgain:
        return NumbersAgain.among(self._keys())

    def _keys(self) -> Iterator[str]:
        unreadable = Unreadable()
        for count, (line, _, values, refused) in enumerate(self._objects(), start=1):
            if refused is not None:
                unreadable.see(line, refused.problems[0], count)
            yield number_key(values.get("number", "").strip())


def _pass_over(lines: Lines) -> None:
    while lines.within and lines.next():
        pass


def read_object(text: str) -> dict[str, str]:
    """The values of one object, as text. Raises RecordRefused."""
    try:
        # Numbers stay as they are written: no float touches an amount.
        pairs = json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        pairs = None
    if not isinstance(pairs, _Pairs):
        raise RecordRefused(Problem("", "", "write one JSON object a line"))
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in _PASSED_OVER:
            continue
        if name not in _NAMES:
            raise RecordRefused(
                Problem("", "", f"the names are {', '.join(_NAMES)}", f"there is no {shown(name)!r}")
            )
        if name in values:
            raise RecordRefused(Problem(name, "", "it is there twice"))
        if value is None:
            value = ""
        if not isinstance(value, str):
            raise RecordRefused(Problem(name, "", "write it as a string"))
        values[name] = value
    if missing := [name for name in COLUMNS if name not in values and name not in OPTIONAL]:
        raise RecordRefused(Problem("", "", f"{', '.join(missing)} missing"))
    return values


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its names as written, repeated ones included."""
