"""A file's records and its heading, before it is known what the columns mean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile, islice
from typing import Protocol

from domain.files.import_fields import shown
from domain.files.reading.records import Record

TITLE_ROWS = 20
"""A heading is looked for in so many rows."""
SAMPLES = 3


class Records(Protocol):
    """All records of a file, as often as they are asked for; those without any text are passed over."""

    def __iter__(self) -> Iterator[Record]: ...

    def first(self) -> Iterator[Record]:
        """Those among which the heading may stand."""
        ...


class Chained:
    """The records of several tables with one heading, as if they were one: the lines of each follow those before."""

    def __init__(self, tables: Sequence[Records]) -> None:
        self._tables = tables

    def first(self) -> Iterator[Record]:
        return self._tables[0].first()

    def __iter__(self) -> Iterator[Record]:
        before = 0
        for place, table in enumerate(self._tables):
            last = 0
            for at, record in enumerate(table):
                last = record.last
                if at > 0 or place == 0:
                    yield record._replace(line=before + record.line, last=before + record.last)
            before += last


@dataclass(frozen=True)
class Column:
    """A column of a file whose layout isn't known: its heading, and its first values that aren't blank."""

    heading: str
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """``heading`` is unique names: what is blank or repeated has its place behind it. ``row`` is where it stands."""

    records: Records
    row: int
    heading: tuple[str, ...]
    encoding: str = ""
    separator: str = ""

    def below(self) -> Iterator[Record]:
        """The records below the heading."""
        return dropwhile(lambda record: record.line <= self.row, self.records)

    def columns(self) -> tuple[Column, ...]:
        samples: list[list[str]] = [[] for _ in self.heading]
        for record in islice(self.below(), 200):
            for kept, cell in zip(samples, record.cells, strict=False):
                if cell.strip() and len(kept) < SAMPLES:
                    kept.append(shown(cell))
        return tuple(Column(name, tuple(kept)) for name, kept in zip(self.heading, samples, strict=True))


def first_rows(records: Records) -> list[Record]:
    """Those in which the heading may stand."""
    return list(islice(records.first(), TITLE_ROWS))


def unique_names(cells: Sequence[str]) -> tuple[str, ...]:
    """The names of a heading, by which its columns can be told apart."""
    names: list[str] = []
    for at, cell in enumerate(cells, start=1):
        name = " ".join(cell.split()) or f"({at})"
        names.append(name if name not in names else f"{name} ({at})")
    return tuple(names)
