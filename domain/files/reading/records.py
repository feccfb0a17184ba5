"""What is read from a file of invoices: records, and what becomes of each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from domain.files.import_fields import ImportedInvoice, Problem

MOST_UNREADABLE = 200_000


class FileUnusable(Exception):
    """Nothing can be taken from the file; ``args[0]`` is the sentence for people: what the file is, and what to do."""


class Exact(str):
    """A cell whose type a workbook says: a number with a point before its decimals, or a day as year-month-day."""

    __slots__ = ()


class Record(NamedTuple):
    """One record as it stands in the file's lines (or a sheet's rows) ``line`` to ``last``, both counted from 1."""

    line: int
    last: int
    cells: Sequence[str]
    fault: Problem | None = None
    """Why the record as a whole can't be read; ``cells`` are then as far as they could be told apart."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A record that isn't taken, and all that is wrong with it."""

    line: int
    last: int
    problems: tuple[Problem, ...]
    number: str = ""
    """As it was written, as far as it could be read, on one line that any terminal bears."""
    cells: Sequence[str] = ()
    """The record as it was."""
    number_key: str = ""

    @property
    def where(self) -> str:
        return f"line {self.line:,}" if self.last <= self.line else f"lines {self.line:,} to {self.last:,}"

    @property
    def reason(self) -> str:
        return "; ".join(map(str, self.problems))


class LeftOutBecause(StrEnum):
    """Why a record is no invoice to be taken although nothing is wrong with it."""

    DRAFT = "draft"
    VOID = "void"
    OTHER_KIND = "other_kind"
    """Not an invoice, such as a payment or a credit note; or not one of those that are to be kept."""
    TOTALS = "totals"
    REPEATED = "repeated"
    """The same as an earlier record in every field."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that isn't taken since it needn't be."""

    line: int
    last: int
    because: LeftOutBecause
    number: str = ""
    first: int = 0
    """Of a repetition: the line of the record that it repeats."""
    number_key: str = ""
    """Of what may be an item of an invoice whose other items aren't left out; with the record as it was."""
    cells: Sequence[str] = ()


Item = ImportedInvoice | BadLine | LeftOut


class Unreadable:
    """Counts, in a first look at a file, the records that aren't even records of its heading."""

    def __init__(self) -> None:
        self._first: tuple[int, Problem] | None = None
        self._count = 0

    def see(self, line: int, problem: Problem, of: int) -> None:
        """The next of them, ``of`` all that were looked at. Raises FileUnusable once there are very many, and hardly any others."""
        self._count += 1
        if self._first is None:
            self._first = line, problem
        if self._count % MOST_UNREADABLE == 0 and self._count * 10 > of * 9:
            first, why = self._first
            raise FileUnusable(
                f"The file is no table of invoices: {self._count:,} of its first {of:,} records can't be read, "
                f"the first of them in line {first:,}: {why}"
            )
