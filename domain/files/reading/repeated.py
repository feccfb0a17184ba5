"""Numbers that a file says more than once: told by a first look at all of it, before anything is taken.

Which numbers come again at all is found with a fixed amount of memory, however long the file is. The few records of one
number that follow each other, as items of an invoice do, are looked at together; of others, what they say is kept in a
temporary file. So a number's first record already knows of its last one.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, partial
from itertools import islice
from typing import Protocol

from domain.files.import_fields import ImportedInvoice, Problem
from domain.files.reading.numbers_again import NumbersAgain
from domain.files.reading.records import BadLine, Item, LeftOut, LeftOutBecause
from domain.money import STORABLE

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

    def numbers_again(self) -> NumbersAgain:
        """What a first look at all of them said of their keys."""
        ...


def without_repeats(items: Items, repeats: Repeats = Repeats.ONE) -> Iterator[Item]:
    """The items, in which each number is taken once at most.

    Of records whose amounts, currencies or states differ none is taken, nor if one of them is bad. Identical ones are left
    out but for the first; where records are items of an invoice, those behind the first are part of it. What is left out and
    has a key counts as of another state: it is refused with those that would be taken.
    """
    comes_again = items.numbers_again()
    together = _together(items, comes_again, repeats) if comes_again.together else iter(items)
    if not comes_again.any:
        yield from together
        return
    with closing(_Kept()) as kept:
        kept.keep(item for item in items if item.number_key in comes_again)
        for some in _chunks(together, CHUNK):
            yield from kept.sorted_out(some, comes_again, repeats)


def _together(items: Iterable[Item], elsewhere: NumbersAgain, repeats: Repeats) -> Iterator[Item]:
    """Judge the records of a number that follow each other and come nowhere else; the others are as they were."""
    run: list[Item] = []
    key = ""
    for item in items:
        if item.number_key and item.number_key == key:
            run.append(item)
            continue
        if run:
            yield from _judge_all(run, repeats)
            run = []
        key = item.number_key
        if key and key not in elsewhere:
            run.append(item)
        else:
            key = ""
            yield item
    if run:
        yield from _judge_all(run, repeats)


def _judge_all(run: list[Item], repeats: Repeats) -> Iterator[Item]:
    if len(run) == 1:
        yield from run
        return
    said = [_said(item) for item in run]
    lines = [line for _, line, *_ in said]
    money, amounts = {one[2] for one in said}, [one[3] for one in said]
    group = _Group(
        first=lines[0],
        count=len(run),
        good=None not in money,
        one_money=len(money) == 1,
        one_amount=len(set(amounts)) == 1,
        sum=sum(amounts),
        rest_of_first=said[0][4],
        first_lines=lambda: lines[:_LINES_TOLD],
    )
    for item in run:
        if isinstance(item, BadLine):
            yield item
        else:
            yield from _judge(item, group, repeats)


def _chunks(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while some := list(islice(items, size)):
        yield some


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
                yield from _judge(item, group, repeats)

    def _groups(self, keys: set[str]) -> "dict[str, _Group]":
        places = ", ".join("?" * len(keys))
        found = self._store.execute(
            f"SELECT *, (SELECT rest FROM said WHERE said.key = groups.key AND line = first) FROM groups "  # noqa: S608
            f"WHERE count > 1 AND key IN ({places})",
            tuple(keys),
        )
        return {row[0]: self._group(*row) for row in found} if keys else {}

    def _group(
        self,
        key: str,
        first: int,
        count: int,
        good: int,
        money: int | None,
        amount: int,
        total: str,
        rest: int,
    ) -> "_Group":
        lines = cache(partial(self._lines, key))
        return _Group(first, count, bool(good), bool(money), bool(amount), int(total), rest, lines)

    def _lines(self, key: str) -> list[int]:
        found = self._store.execute(
            "SELECT line FROM said WHERE key = ? ORDER BY line LIMIT ?", (key, _LINES_TOLD)
        )
        return [line for (line,) in found]


def _judge(item: ImportedInvoice | LeftOut, group: "_Group", repeats: Repeats) -> Iterator[Item]:
    if not group.good:
        yield _refused(item, group, "one of them is bad, so none is taken")
    elif not group.one_money or (repeats is not Repeats.SUM and not group.one_amount):
        yield _refused(item, group, "their amounts, currencies or states differ, so none is taken")
    elif isinstance(item, LeftOut):
        yield item
    elif repeats is Repeats.SUM and abs(group.sum) > STORABLE:
        yield _refused(item, group, "their sum is too large for any invoice, so none is taken")
    elif item.line == group.first:
        yield replace(item, amount=group.sum) if repeats is Repeats.SUM else item
    elif repeats is Repeats.ONE:
        yield _repeated(item, group)


def _repeated(item: ImportedInvoice, group: "_Group") -> Item:
    if group.rest_of_first != _rest(item):
        return _refused(item, group, "they differ elsewhere than in the amount, so only the first is taken")
    return LeftOut(item.line, item.last, LeftOutBecause.REPEATED, item.number, first=group.first)


def _refused(item: ImportedInvoice | LeftOut, group: "_Group", why: str) -> BadLine:
    lines = [f"{line:,}" for line in group.first_lines()]
    more = group.count - len(lines)
    last = f"{more:,} more" if more else lines[-1]
    where = f"it is in lines {', '.join(lines if more else lines[:-1])} and {last}"
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
    """What the records of one number say, all of them together."""

    first: int
    """The line of the first."""
    count: int
    good: bool
    one_money: bool
    one_amount: bool
    sum: int
    rest_of_first: int
    first_lines: Callable[[], list[int]]


class _ExactSum:
    """However large it is: SQLite's own ends at 64 bits."""

    def __init__(self) -> None:
        self._sum = 0

    def step(self, amount: int) -> None:
        self._sum += amount

    def finalize(self) -> str:
        return str(self._sum)
