"""Invoices by the closing digits of their number, in list order, however many there are (decision 0030).

An index of the numbers by their last two characters holds each such number whole. So what ends with more digits is
found without looking at an invoice that doesn't.
"""

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from domain.invoices.number_search import Places
from domain.invoices.numbers.keys import number_key
from domain.invoices.numbers.twins import is_marked
from domain.invoices.overdue import is_overdue
from domain.models import Invoice
from domain.models.invoices import closing
from domain.states import LinkStatus

Condition = sa.ColumnElement[bool]
# Numbers that end so: up to so many are looked up and put in order; of more, the list is walked, whose positions end with
# the numbers, so that no invoice has to be looked at (decision 0030).
FEW = 2_000
# Characters at the end of a number by which the index holds it.
INDEXED = 2


def digits_of(text: str) -> str:
    """The digits, if what somebody typed is nothing else; else nothing."""
    digits = number_key(text).strip("#№ ")
    return digits if digits.isascii() and digits.isdecimal() else ""


def ends(digits: str) -> Condition:
    """That an invoice's number ends so, whichever organisation's it is."""
    return sa.or_(_ends(Invoice.number_key, digits), *(sa.and_(*one) for one in _otherwise(digits)))


def first_ending(
    session: Session,
    organisation_id: int,
    digits: str,
    *,
    status: LinkStatus | None,
    after: str | None,
    limit: int,
    due_before: date | None = None,
) -> Places:
    """The first invoices whose number ends so, of that status (None: of any), behind the position ``after``.

    ``due_before``: only what is owed and was due before that day.
    """
    own = Invoice.organisation_id == organisation_id
    due = [] if due_before is None else is_overdue(due_before)
    places: Places = []
    ids = _by_index(session, own, digits)
    if ids is None:
        wanted = [own, _ends(Invoice.position, digits), *_wanted(Invoice, status, after), *due]
        listed = sa.select(Invoice.position, Invoice.id).where(*wanted)
        places += _first(session, listed, Invoice.position, limit)
    else:
        # By nothing but their ids: asked for more, SQLite goes through all of that status.
        places += _places(session, ids, due, status, after)
    for way in _otherwise(digits):
        # Behind the offset neither database sees that it could walk the list instead, which may take long.
        found = (
            sa.select(Invoice.position, Invoice.id, Invoice.status)
            .where(own, *way, *due)
            .offset(0)
            .subquery()
            .c
        )
        chosen = sa.select(found.position, found.id).where(*_wanted(found, status, after))
        places += _first(session, chosen, found.position, limit)
    return sorted(set(places))[:limit]


def _by_index(session: Session, own: Condition, digits: str) -> list[int] | None:
    """By their ids, those whose ``number_key`` ends so: the index has all that is asked. None if they are many."""
    if len(digits) < INDEXED:
        return None
    found = sa.select(Invoice.id).where(own, *_closing("number_key", Invoice.number_key, digits))
    ids = list(session.scalars(found.limit(FEW + 1)))
    return ids if len(ids) <= FEW else None


def _places(
    session: Session, ids: list[int], due: list[Condition], status: LinkStatus | None, after: str | None
) -> Places:
    if session.get_bind().dialect.name == "sqlite":
        known: Condition = Invoice.id.in_(ids)
    else:
        known = Invoice.id == sa.any_(sa.literal(ids, ARRAY(sa.BigInteger)))
    rows = session.execute(sa.select(Invoice.position, Invoice.id, Invoice.status).where(known, *due))
    return [
        (row.position, row.id)
        for row in rows
        if status in (None, row.status) and (after is None or row.position > after)
    ]


def _first(session: Session, chosen: sa.Select[str, int], place: Any, limit: int) -> Places:
    return [(position, key) for position, key in session.execute(chosen.order_by(place).limit(limit))]


def _wanted(of: Any, status: LinkStatus | None, after: str | None) -> list[Condition]:
    conditions: list[Condition] = [] if status is None else [of.status == status]
    return conditions if after is None else [*conditions, of.position > after]


def _otherwise(digits: str) -> list[list[Condition]]:
    """Of an invoice, the ways to end so that its ``number_key`` doesn't show: in full-width digits, for one."""
    identity = _closing("identity", Invoice.identity, digits)
    # Twins' identities end with something else.
    twins = [is_marked(), Invoice.identity.like(f"%{digits}\n%")]
    return [[*identity, Invoice.identity.is_not(None), sa.not_(is_marked())], twins]


def _closing(name: str, column: Any, digits: str) -> list[Condition]:
    """That a column ends so, by its index if there are digits enough."""
    by_index = [closing(name) == digits[-INDEXED:]] if len(digits) >= INDEXED else []
    return [*by_index, _ends(column, digits)]


def _ends(column: Any, digits: str) -> Condition:
    ends_so: Condition = column.like(f"%{digits}")
    return ends_so
