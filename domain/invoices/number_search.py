"""Invoices by the beginning of their number, in list order and quickly however many there are (decision 0017).

What is looked for may be written with other signs between its words, or with a sign before them: INV-7, inv/7, #inv 7.
Each way in which the organisation's own numbers write it is a *spelling*, and the beginning of what it finds. All of this is
about numbers in ASCII; others are found by terms, as buyers are.
"""

from collections.abc import Iterable
from datetime import date
from itertools import takewhile
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.invoices.list_position import POSITION_OF_DUE_DATE
from domain.invoices.overdue import IN_SQL, is_overdue
from domain.invoices.search_terms import marked, phrase_of, search_phrase
from domain.models import STATUS, Invoice
from domain.states import LinkStatus

Condition = sa.ColumnElement[bool]
Places = list[tuple[str, int]]
"""Positions and ids."""
Range = tuple[str, str]
# Invoices whose numbers begin so: up to so many are looked up and put in order; of more, each due date is asked for its
# first, in one statement (decision 0017).
FEW = 2_000
# Ways in which an organisation writes what is looked for, and statements that ask for the next of them: of more ways, which
# nobody was seen to have, some are found (decision 0017).
SPELLINGS, ROUNDS = 20, 20
# Where signs stand in ASCII: before the digits, between them and the small letters, and behind those.
_SIGNS: tuple[Range, ...] = ((" ", "0"), (":", "a"), ("{", "\x7f"))


class Numbers:
    """An organisation's invoices whose numbers begin with what is looked for."""

    def __init__(self, session: Session, organisation_id: int, search: str) -> None:
        self._session = session
        self._organisation_id = organisation_id
        candidates = sorted(self._written(search))
        ranges = [_range_of(spelling) for spelling in candidates]
        found = self._keys([*((0, each) for each in ranges), *((FEW, each) for each in ranges)])
        self.spellings: list[str] = []
        """Such as there are, and none that begins as another does."""
        self._many: set[str] = set()
        for spelling, first, further in zip(candidates, found, found[len(candidates) :], strict=False):
            if first is not None and not (self.spellings and spelling.startswith(self.spellings[-1])):
                self.spellings.append(spelling)
                if further is not None:
                    self._many.add(spelling)

    def found(self) -> list[Condition]:
        """Of an invoice of the organisation, each way in which it may be found."""
        return [_begins(spelling) for spelling in self.spellings]

    def first(
        self, *, status: LinkStatus | None, after: str | None, limit: int, due_before: date | None = None
    ) -> Places:
        """The first of them, of that status (None: of any), behind the position ``after``; see find_page."""
        places: Places = []
        for spelling in self.spellings:
            look = self._leap if spelling in self._many else self._look_up
            places += look(spelling, status, after, limit, due_before)
        return places

    def _look_up(
        self, spelling: str, status: LinkStatus | None, after: str | None, limit: int, due_before: date | None
    ) -> Places:
        wanted = [Invoice.organisation_id == self._organisation_id, _begins(spelling)]
        if status is not None:
            wanted.append(Invoice.status == status)
        if after is not None:
            wanted.append(Invoice.position > after)
        if due_before is not None:
            wanted += is_overdue(due_before)
        # Behind the offset neither database sees that it could walk the list instead, which may take long.
        fenced = sa.select(Invoice.position, Invoice.id).where(*wanted).offset(0).subquery()
        rows = self._session.execute(sa.select(fenced).order_by(fenced.c.position).limit(limit))
        return [(position, key) for position, key in rows]

    def _leap(
        self, spelling: str, status: LinkStatus | None, after: str | None, limit: int, due_before: date | None
    ) -> Places:
        """A position ends with the number: of each due date, those of the spelling stand side by side."""
        sqlite = self._session.get_bind().dialect.name == "sqlite"
        later = "max" if sqlite else "greatest"
        date = f"substr(position, 1, {POSITION_OF_DUE_DATE})"
        own = "organisation_id = :own" + ("" if status is None else " AND status = :status")
        of_date = (
            f"{own} AND position >= {later}(due.date || '|' || :spelling, :after) "
            "AND position < due.date || '|' || :behind AND position <> :after"
        )
        if due_before is not None:
            of_date += f" AND {IN_SQL.format(date='TEXT' if sqlite else 'DATE')}"
        # What stands behind a date and its bar stands before the date and "}", whatever the number begins with.
        # Both databases take the due dates in the order in which they find them, and stop at the limit.
        if sqlite:
            joined = f"CROSS JOIN invoices WHERE {of_date}"
        else:
            of_date += " ORDER BY position LIMIT :limit"
            joined = f"CROSS JOIN LATERAL (SELECT position, id FROM invoices WHERE {of_date}) AS found"  # noqa: S608
        statement = f"""
            WITH RECURSIVE due (date) AS (
                SELECT (SELECT {date} FROM invoices WHERE {own} AND position > :after ORDER BY position LIMIT 1)
                UNION ALL
                SELECT (
                    SELECT {date} FROM invoices WHERE {own} AND position >= due.date || '}}' ORDER BY position LIMIT 1
                ) FROM due WHERE due.date IS NOT NULL
            )
            SELECT position, id FROM due {joined} LIMIT :limit
            """  # noqa: S608 - of words that stand here
        values = {"own": self._organisation_id, "after": after or "", "limit": limit}
        values |= {"spelling": spelling, "behind": _behind(spelling)}
        if status is not None:
            values["status"] = STATUS.written(status)
        if due_before is not None:
            values["due_before"] = due_before.isoformat()
        rows = self._session.execute(sa.text(statement), values)
        return [(position, key) for position, key in rows]

    def _written(self, search: str) -> set[str]:
        """What is looked for as it is typed, and as numbers may write it."""
        if not phrase_of(search).isascii():
            return set()
        words = search_phrase(search).split()
        begun = {"", *self._signed({""})} if words else set()
        for place, word in enumerate(words, start=1):
            begun = {beginning + word for beginning in begun}
            if place < len(words):
                begun = self._signed(begun)
        typed = marked(search)
        return begun | {typed} if typed.isascii() else begun

    def _signed(self, beginnings: Iterable[str]) -> set[str]:
        """Such beginnings of numbers, each with the signs that numbers have behind it."""
        signed: set[str] = set()
        places = [(one, one + lo, one + hi) for one in beginnings for lo, hi in _SIGNS]
        for _ in range(ROUNDS):
            if not places or len(signed) >= SPELLINGS:
                break
            keys = self._keys([(0, (lo, hi)) for _, lo, hi in places])
            met = [(place, key) for place, key in zip(places, keys, strict=True) if key is not None]
            places = []
            for (beginning, _, end), key in met:
                passed = beginning + "".join(takewhile(_is_sign, key[len(beginning) :]))
                places.append((beginning, _behind(passed), end))
                if passed not in signed:
                    signed.add(passed)
                    places += [(passed, passed + lo, passed + hi) for lo, hi in _SIGNS]
        return set(sorted(signed)[:SPELLINGS])

    def _keys(self, places: list[tuple[int, Range]]) -> list[Any]:
        """The number that stands behind so many others in a range, for each; None where there is none."""
        if not places:
            return []
        key = sa.select(Invoice.number_key).where(Invoice.organisation_id == self._organisation_id)
        in_order = key.order_by(Invoice.number_key).limit(1)
        each = [
            in_order.where(Invoice.number_key >= lo, Invoice.number_key < hi).offset(offset).scalar_subquery()
            for offset, (lo, hi) in places
        ]
        return list(self._session.execute(sa.select(*each)).one())


def _is_sign(char: str) -> bool:
    return char.isascii() and not char.isalnum()


def _range_of(spelling: str) -> Range:
    return spelling, _behind(spelling)


def _behind(beginning: str) -> str:
    """What stands behind all that begins so. The last character is one of ASCII."""
    return beginning[:-1] + chr(ord(beginning[-1]) + 1)


def _begins(spelling: str) -> Condition:
    lo, hi = _range_of(spelling)
    return sa.and_(Invoice.number_key >= lo, Invoice.number_key < hi)
