"""Invoices by the beginning of their number, in list order and quickly however many there are (decision 0017).

What is looked for may be written with other signs between its words, or with a sign before them: INV-7, inv/7, #inv 7.
Each way in which the organisation's own numbers write it is a *spelling*, and the beginning of what it finds.
"""

import unicodedata
from collections.abc import Iterable
from itertools import takewhile
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Invoice
from domain.search_terms import LAST, in_word, search_phrase
from domain.standing import POSITION_BEFORE_NUMBER, number_key

Condition = sa.ColumnElement[bool]
Places = list[tuple[str, int]]
"""Positions and ids."""
Range = tuple[str, str]
# So many are looked up and put in order; of more, each due date is asked for its first.
FEW = 2_000
# What is written in more ways is found in some of them, and as it is typed. So often numbers are asked for the next.
SPELLINGS, ROUNDS = 20, 20
# Where numbers with a sign in some place stand among those with anything there, besides those of other alphabets.
_SIGNS: tuple[Range, ...] = ((" ", "0"), (":", "a"), ("{", LAST))


class Numbers:
    """An organisation's invoices whose numbers begin with what is looked for."""

    def __init__(self, session: Session, organisation_id: int, search: str) -> None:
        self._session = session
        self._organisation_id = organisation_id
        self.spellings = self._spellings(search)

    def found(self) -> list[Condition]:
        """Of an invoice of the organisation, each way in which it may be found."""
        return [_begins(spelling) for spelling in self.spellings]

    def first(self, *, status: str | None, after: str | None, limit: int) -> Places:
        """The first of them, of that status (None: of any), behind the position ``after``."""
        counts = self._keys([_range_of(spelling) for spelling in self.spellings], offset=FEW)
        places: Places = []
        for spelling, beyond in zip(self.spellings, counts, strict=True):
            look = self._look_up if beyond is None else self._leap
            places += look(spelling, status, after, limit)
        return places

    def _look_up(self, spelling: str, status: str | None, after: str | None, limit: int) -> Places:
        wanted = [Invoice.organisation_id == self._organisation_id, _begins(spelling)]
        if status is not None:
            wanted.append(Invoice.status == status)
        if after is not None:
            wanted.append(Invoice.position > after)
        # Behind the offset neither database sees that it could walk the list instead, which may take long.
        fenced = sa.select(Invoice.position, Invoice.id).where(*wanted).offset(0).subquery()
        rows = self._session.execute(sa.select(fenced).order_by(fenced.c.position).limit(limit))
        return [(position, key) for position, key in rows]

    def _leap(self, spelling: str, status: str | None, after: str | None, limit: int) -> Places:
        """A position ends with the number: of each due date, those of the spelling stand side by side."""
        sqlite = self._session.get_bind().dialect.name == "sqlite"
        later = "max" if sqlite else "greatest"
        date = f"substr(position, 1, {POSITION_BEFORE_NUMBER})"
        own = "organisation_id = :own" + ("" if status is None else " AND status = :status")
        of_date = (
            f"{own} AND position >= {later}(due.date || :spelling, :after) "
            "AND position < due.date || :spelling || :last AND position <> :after"
        )
        # Both take the due dates in the order in which they find them, and stop at the limit.
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
                    SELECT {date} FROM invoices WHERE {own} AND position >= due.date || :last ORDER BY position LIMIT 1
                ) FROM due WHERE due.date IS NOT NULL
            )
            SELECT position, id FROM due {joined} LIMIT :limit
            """  # noqa: S608 - of words that stand here
        values = {"own": self._organisation_id, "spelling": spelling, "after": after or "", "last": LAST}
        asked = {"limit": limit} if status is None else {"limit": limit, "status": status}
        rows = self._session.execute(sa.text(statement), values | asked)
        return [(position, key) for position, key in rows]

    def _spellings(self, search: str) -> list[str]:
        """None that another begins with, and only such as there are."""
        typed = number_key("".join(char for char in search if unicodedata.category(char)[0] != "C"))
        written = {typed} - {""}
        words = search_phrase(search).split()
        begun = {"", *self._signed({""})} if words else set()
        for place, word in enumerate(words, start=1):
            begun = {beginning + word for beginning in begun}
            if place < len(words):
                begun = self._signed(begun)
        written |= begun
        candidates = sorted(written)
        existing = self._keys([_range_of(spelling) for spelling in candidates])
        spellings: list[str] = []
        for spelling, key in zip(candidates, existing, strict=True):
            if key is not None and not (spellings and spelling.startswith(spellings[-1])):
                spellings.append(spelling)
        return spellings

    def _signed(self, beginnings: Iterable[str]) -> set[str]:
        """Such beginnings of numbers, each with the signs that numbers have behind it."""
        signed: set[str] = set()
        places = [(one, one + lo, one + hi) for one in beginnings for lo, hi in _SIGNS]
        for _ in range(ROUNDS):
            if not places or len(signed) >= SPELLINGS:
                break
            further = []
            keys = self._keys([(lo, hi) for _, lo, hi in places])
            for (beginning, _, end), key in zip(places, keys, strict=True):
                if key is None:
                    continue
                signs = "".join(takewhile(lambda char: not in_word(char), key[len(beginning) :]))
                passed = beginning + (signs or key[len(beginning)])
                if signs:
                    signed.add(passed)
                    further += [(passed, passed + lo, passed + hi) for lo, hi in _SIGNS]
                further.append((beginning, passed + LAST, end))
            places = further
        return set(sorted(signed)[:SPELLINGS])

    def _keys(self, ranges: list[Range], offset: int = 0) -> list[Any]:
        """The first number in each range, behind so many; None where there is none."""
        if not ranges:
            return []
        key = sa.select(Invoice.number_key).where(Invoice.organisation_id == self._organisation_id)
        in_order = key.order_by(Invoice.number_key).offset(offset).limit(1)
        each = [
            in_order.where(Invoice.number_key >= lo, Invoice.number_key < hi).scalar_subquery()
            for lo, hi in ranges
        ]
        return list(self._session.execute(sa.select(*each)).one())


def _range_of(spelling: str) -> Range:
    return spelling, spelling + LAST


def _begins(spelling: str) -> Condition:
    lo, hi = _range_of(spelling)
    return sa.and_(Invoice.number_key >= lo, Invoice.number_key < hi)
