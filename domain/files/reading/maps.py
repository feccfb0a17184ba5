"""What of a file becomes what: a map, as a value and as the TOML that people edit."""

import codecs
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from domain.files.import_fields import COLUMNS, STATE, shown
from domain.files.reading.repeated import Repeats

AMOUNT_DUE = "amount_due"
"""What is still to be paid of the billing amount, where a layout says both: it becomes the billing amount."""
FIELDS = (*COLUMNS, AMOUNT_DUE, STATE)
DECIMAL_SIGNS = (".", ",")
DATE_ORDERS = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}
STATES = ("open", "settled", "void", "draft")
"""Those of a record: void and draft ones are left out."""
_NO_ENCODINGS = frozenset("idna punycode raw_unicode_escape unicode_escape undefined utf_7".split())
_TABLES = ("columns", "keep", "states")


class MapUnusable(ValueError):
    """``args[0]`` says what is wrong with a map and how to write it."""


@dataclass(frozen=True)
class FileMap:
    """How a file is read. What is blank is found out from the file, as far as it can be told without a guess."""

    layout: str = ""
    """Whose columns these are: only told."""
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The headings of the columns for each of the FIELDS that the file has. Of several, the first that isn't blank
    in a record says the field; of a state's, void and draft go before settled, and that before open."""
    encoding: str = ""
    separator: str = ""
    heading_row: int = 0
    """The line, or row of the sheet, that holds the heading."""
    decimal_sign: str = ""
    date_order: str = ""
    currency: str = ""
    """Of every record that doesn't say its own."""
    rows_of_one_number: Repeats = Repeats.ONE
    keep: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By heading: the values of records that are taken, without regard to case. Others are left out."""
    states: Mapping[str, str] = field(default_factory=dict)
    """What a value of the state's column stands for: one of STATES. Many are known without being said here."""

    def to_toml(self) -> str:
        lines = [
            f"{one.name} = {_written(value)}"
            for one in fields(self)
            if one.name not in _TABLES and (value := getattr(self, one.name))
        ]
        for name in _TABLES:
            table: Mapping[str, Any] = getattr(self, name)
            if table:
                lines += ["", f"[{name}]", *(f"{_key(key)} = {_written(table[key])}" for key in table)]
        return "\n".join(lines) + "\n"


def read_map(text: str) -> FileMap:
    """Raises MapUnusable."""
    try:
        given = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise MapUnusable(f"it isn't TOML: {error}") from None
    names = {one.name for one in fields(FileMap)}
    for name in given:
        if name not in names:
            raise MapUnusable(
                f"there is no {shown(name)!r}: write {', '.join(one.name for one in fields(FileMap))}"
            )
    values: dict[str, Any] = {}
    for name, value in given.items():
        wanted: type = dict if name in _TABLES else int if name == "heading_row" else str
        if not isinstance(value, wanted):
            raise MapUnusable(f"{name}: write {_KINDS[wanted]}")
        values[name] = value
    _check_choices(values)
    if "columns" in values:
        values["columns"] = _columns(values["columns"])
    if "keep" in values:
        values["keep"] = {
            heading: _values(f"keep: {shown(heading)}", kept) for heading, kept in values["keep"].items()
        }
    if "rows_of_one_number" in values:
        values["rows_of_one_number"] = Repeats(values["rows_of_one_number"])
    return FileMap(**values)


_KINDS = {dict: "a table", int: "a number", str: "a text in quotation marks"}


def _check_choices(values: Mapping[str, Any]) -> None:
    choices = {
        "decimal_sign": DECIMAL_SIGNS,
        "date_order": tuple(DATE_ORDERS),
        "rows_of_one_number": tuple(str(one) for one in Repeats),
    }
    for name, allowed in choices.items():
        if name in values and values[name] not in allowed:
            raise MapUnusable(f"{name}: write one of {', '.join(map(repr, allowed))}")
    if len(values.get("separator", ",")) != 1 or values.get("separator") in ('"', "\n", "\r"):
        raise MapUnusable("separator: write one character, such as ';'")
    if "encoding" in values and not _is_encoding(values["encoding"]):
        raise MapUnusable("encoding: write one that Python knows, such as 'utf-8', 'cp1252' or 'cp1250'")
    for value, stands_for in values.get("states", {}).items():
        if stands_for not in STATES:
            raise MapUnusable(f"states: {shown(value)!r} stands for one of {', '.join(STATES)}")


def _is_encoding(name: str) -> bool:
    """Whether text is kept in it in files; Python calls other things by such names as well."""
    try:
        return codecs.lookup(name).name.replace("-", "_") not in _NO_ENCODINGS and isinstance(
            "".encode(name), bytes
        )
    except (LookupError, ValueError):
        return False


def _columns(given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    for name in given:
        if name not in FIELDS:
            raise MapUnusable(f"columns: there is no {shown(name)!r}, write {', '.join(FIELDS)}")
    return {name: _values(f"columns: {name}", headings) for name, headings in given.items()}


def _values(where: str, given: Any) -> tuple[str, ...]:
    values = [given] if isinstance(given, str) else given
    if not isinstance(values, list) or not values or not all(isinstance(one, str) for one in values):
        raise MapUnusable(f"{where}: write a text in quotation marks, or several of them in brackets")
    return tuple(values)


def _written(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple) and len(value) == 1:
        return _written(value[0])
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in escaped) + '"'


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "a").isalnum() else _written(name)
