"""Numbers that a file says more than once: told by a first look at all of it, before anything is taken.

Which numbers come again at all is found with a fixed amount of memory, however long the file is; what their records say
is kept in a temporary file. So a number's first record already knows of its last one.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from typing import Protocol

from domain.files.import_fields import ImportedInvoice, Problem
from domain.files.reading.records import BadLine, Item, LeftOut, LeftOutBecause
from domain.money import STORABLE

_BITS = 27
"""Of the marks that a number leaves: 16 MiB for all of them. At a million numbers, none is taken for another one."""
_MASK = (1 << _BITS) - 1
_MARKS = 4
MANY = 100_000
"""So many numbers that come again are kept in memory; of more, each number is looked up."""
CHUNK = 2_000
_LINES_TOLD = 10


class Repeats(StrEnum):
    """What several records of one number are."""

    ONE = "one"
    """A mistake, unless they are the same."""
    SAME = "same"
    """The items of one invoice: each says the invoice's amount."""
    SUM = "sum"
    """The items of one invoice: each says its own amount."""


class Items(Protocol):
    """A file's records, to be read as often as needed."""

    def __iter__(self) -> Iterator[Item]: ...

    def numbers_again(self) -> "NumbersAgain":
        """What a first look at all of them said of the keys of those that have one."""
        ...


def without_repeats(items: Items, repeats: Repeats = Repeats.ONE) -> Iterator[Item]:
    """The items, in which each number is taken once at most.

    Of records whose amounts, currencies or states differ none is taken, nor if one of them is bad. Identical ones are left
    out but for the first; where records are items of an invoice, those behind the first are part of it. What is left out and
    has a key counts as of another state: it is refused with those that would be taken.
    """
    comes_again = items.numbers_again()
    if not comes_again.any:
        yield from items
        return
    with closing(_Kept()) as kept:
        kept.keep(item for item in items if item.number_key in comes_again)
        for some in _chunks(iter(items), CHUNK):
            yield from kept.sorted_out(some, comes_again, repeats)


def _chunks(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while some := list(islice(items, size)):
        yield some


class NumbersAgain:
    """The numbers that come again, and perhaps some that don't, with a fixed amount of memory.

    Each leaves marks among 2**27 bits; whoever finds all of its own has perhaps come before.
    """

    def __init__(self) -> None:
        self._bits = bytearray(1 << (_BITS - 3))
        self._hashes: set[int] = set()
        self._all = False

    @classmethod
    def among(cls, keys: Iterable[str]) -> "NumbersAgain":
        found = cls()
        for key in keys:
            found.see(key)
        return found

    @property
    def any(self) -> bool:
        return self._all or bool(self._hashes)

    def see(self, key: str) -> None:
        hashed = hash(key)  # of this process alone: nobody outside can choose numbers that meet
        bits, at, step, before = self._bits, hashed & _MASK, (hashed >> _BITS) | 1, True
        for _ in range(_MARKS):
            place, bit = at >> 3, 1 << (at & 7)
            if not bits[place] & bit:
                before = False
                bits[place] |= bit
            at = (at + step) & _MASK
        if before and not self._all:
            self._hashes.add(hashed)
            if len(self._hashes) > MANY:
                self._all = True
                self._hashes.clear()

    def __contains__(self, key: str) -> bool:
        return key != "" and (self._all or hash(key) in self._hashes)


class _Kept:
    """What the records of the numbers that come again say: in a temporary file, so that memory stays flat."""

    def __init__(self) -> None:
        self._store = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._store.create_aggregate("exact_sum", 1, _ExactSum)  # type: ignore[arg-type]
        self._store.execute("PRAGMA journal_mode = OFF")
        self._store.execute("PRAGMA synchronous = OFF")
        self._store.execute(
            "CREATE TABLE said (key TEXT, line INTEGER, money TEXT, amount INTEGER, rest INTEGER, "
            "PRIMARY KEY (key, line)) WITHOUT ROWID"
        )

    def close(self) -> None:
        self._store.close()

    def keep(self, items: Iterable[Item]) -> None:
        """All of them, once."""
        rows = map(_said, items)
        while some := list(islice(rows, CHUNK)):
            self._store.executemany("INSERT OR REPLACE INTO said VALUES (?, ?, ?, ?, ?)", some)
        self._store.execute(
            "CREATE TABLE groups AS SELECT key, min(line) AS first, count(*) AS count, "
            "count(money) = count(*) AS good, min(money) = max(money) AS one_money, "
            "min(amount) = max(amount) AS one_amount, exact_sum(amount) AS sum FROM said GROUP BY key"
        )
        self._store.execute("CREATE UNIQUE INDEX of_key ON groups (key)")

    def sorted_out(self, items: list[Item], again: NumbersAgain, repeats: Repeats) -> Iterator[Item]:
        groups = self._groups({key for item in items if (key := item.number_key) in again})
        for item in items:
            group = groups.get(item.number_key)
            if group is None or isinstance(item, BadLine):
                yield item
            else:
                yield from self._judge(item, group, repeats)

    def _groups(self, keys: set[str]) -> "dict[str, _Group]":
        places = ", ".join("?" * len(keys))
        found = self._store.execute(
            f"SELECT * FROM groups WHERE count > 1 AND key IN ({places})",  # noqa: S608
            tuple(keys),
        )
        return {row[0]: _Group(*row) for row in found} if keys else {}

    def _judge(self, item: ImportedInvoice | LeftOut, group: "_Group", repeats: Repeats) -> Iterator[Item]:
        if not group.good:
            yield self._refused(item, group, "one of them is bad, so none is taken")
        elif not group.one_money or (repeats is not Repeats.SUM and not group.one_amount):
            why = "their amounts, currencies or states differ, so none is taken"
            yield self._refused(item, group, why)
        elif isinstance(item, LeftOut):
            yield item
        elif repeats is Repeats.SUM and abs(int(group.sum)) > STORABLE:
            yield self._refused(item, group, "their sum is too large for any invoice, so none is taken")
        elif item.line == group.first:
            yield replace(item, amount=int(group.sum)) if repeats is Repeats.SUM else item
        elif repeats is Repeats.ONE:
            yield self._repeated(item, group)

    def _repeated(self, item: ImportedInvoice, group: "_Group") -> Item:
        first = self._store.execute(
            "SELECT rest FROM said WHERE key = ? AND line = ?", (group.key, group.first)
        ).fetchone()
        if first != (_rest(item),):
            return self._refused(
                item, group, "they differ elsewhere than in the amount, so only the first is taken"
            )
        return LeftOut(item.line, item.last, LeftOutBecause.REPEATED, item.number, first=group.first)

    def _refused(self, item: ImportedInvoice | LeftOut, group: "_Group", why: str) -> BadLine:
        if not group.lines:
            found = self._store.execute(
                "SELECT line FROM said WHERE key = ? ORDER BY line LIMIT ?", (group.key, _LINES_TOLD)
            )
            group.lines = [f"{line:,}" for (line,) in found]
        told, more = group.lines, group.count - len(group.lines)
        last = f"{more:,} more" if more else told[-1]
        where = f"it is in lines {', '.join(told if more else told[:-1])} and {last}"
        problem = Problem("number", "", why, where)
        return BadLine(item.line, item.last, (problem,), item.number, item.cells, item.number_key)


def _said(item: Item) -> tuple[str, int, str | None, int, int]:
    if isinstance(item, BadLine):
        return item.number_key, item.line, None, 0, 0
    if isinstance(item, LeftOut):
        return item.number_key, item.line, "left out", 0, 0
    return item.number_key, item.line, f"{item.currency} {item.billing_state}", item.amount, _rest(item)


def _rest(item: ImportedInvoice) -> int:
    return hash((item.buyer_name, item.buyer_email, item.issue_date, item.due_date, item.description))


@dataclass
class _Group:
    """The records of one number."""

    key: str
    first: int
    count: int
    good: int
    one_money: int | None
    one_amount: int
    sum: str
    lines: list[str] = field(default_factory=list)


class _ExactSum:
    """However large it is: SQLite's own ends at 64 bits."""

    def __init__(self) -> None:
        self._sum = 0

    def step(self, amount: int) -> None:
        self._sum += amount

    def finalize(self) -> str:
        return str(self._sum)
