"""Numbers that look the same and were kept as two before this version: they stay two, and people are told of them.

Whoever looks for such a number finds all of them. The one that was folded first has the identity; that of another is
marked, so that it is unique too, and marked ones stand together in the index of identities.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.invoices.numbers.keys import number_key, written_key
from domain.models import Base, Invoice, Organisation

# No number's key has it: it is a blank there.
_MARK = "\n"
_BEHIND = "\v"


def mark(key: str, invoice_id: int) -> str:
    """The identity of a twin of an invoice that has the number's key."""
    return f"{_MARK}{key}{_MARK}{invoice_id}"


def key_of(identity: str | None, written: str) -> str:
    """The key of the number of an invoice with this identity and this ``number_key``, folded or not."""
    if identity is None:
        return number_key(written)
    return identity.split(_MARK)[1] if identity.startswith(_MARK) else identity


def ids_of(organisation_id: int, number: str) -> sa.CompoundSelect[int]:
    """The invoices that have this number, however it is written, some said twice: one at most, but for twins."""
    key = number_key(number)
    own = sa.select(Invoice.id).where(Invoice.organisation_id == organisation_id)
    # Each by its index: asked for together, neither database would take both. What isn't folded yet is found as written.
    return sa.union_all(
        own.where(Invoice.number_key.in_(sorted({key, written_key(number)}))),
        own.where(Invoice.identity == key),
        own.where(*twins_of(key)),
    )


def choose(number: str, written: dict[int, str]) -> int | None:
    """Which of these is meant, by their ``number_key``: the only one, or the one that is written so; None if nobody can say."""
    exact = [each for each, key in written.items() if key == written_key(number)]
    candidates = exact or list(written)
    return candidates[0] if len(candidates) == 1 else None


def are_any(session: Session, organisation_id: int) -> bool:
    """Whether the organisation has marked ones."""
    own = sa.select(Invoice.id).where(Invoice.organisation_id == organisation_id, is_marked())
    return session.scalar(own.limit(1)) is not None


def has_identities(session: Session, organisation_id: int) -> bool:
    """Whether any number of the organisation has ways to be written that ``number_key`` doesn't know."""
    own = sa.select(Invoice.id).where(
        Invoice.organisation_id == organisation_id, Invoice.identity.is_not(None)
    )
    return session.scalar(own.limit(1)) is not None


@dataclass(frozen=True)
class LookAlikes:
    """Invoices of one organisation whose numbers look the same, as they are written."""

    team_id: str
    numbers: tuple[str, ...]


def list_look_alikes(session: Session, most: int) -> tuple[LookAlikes, ...]:
    """The first of all that there are."""
    groups: dict[tuple[str, str], LookAlikes] = {}
    for organisation in session.scalars(sa.select(Organisation).order_by(Organisation.id)):
        marked = sa.select(Invoice.identity, Invoice.number_key).where(
            Invoice.organisation_id == organisation.id, is_marked()
        )
        for row in session.execute(marked.order_by(Invoice.identity).limit(most)):
            key = key_of(row.identity, row.number_key)
            alike = sa.select(Invoice.number).where(
                Invoice.id.in_(ids_of(organisation.id, key or row.number_key))
            )
            numbers = tuple(session.scalars(alike.order_by(Invoice.id)))
            groups[organisation.team_id, key] = LookAlikes(organisation.team_id, numbers)
    return tuple(groups.values())[:most]


def is_marked() -> sa.ColumnElement[bool]:
    return sa.and_(Invoice.identity >= _MARK, Invoice.identity < _BEHIND)


def twins_of(key: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Of an invoice, that it is marked as a twin of the one with this key."""
    between = twins_between(key)
    return Invoice.identity >= between["twins_from"], Invoice.identity < between["twins_until"]


def twins_between(key: str) -> dict[str, str]:
    """The values of has_twins for this key."""
    beginning = f"{_MARK}{key}"
    return {"twins_from": beginning + _MARK, "twins_until": beginning + _BEHIND}


def has_twins() -> sa.Exists:
    """Whether the organisation ``own`` has marked twins of a number: both are given when it is asked."""
    twin = Base.metadata.tables[Invoice.__tablename__].alias("twin")
    return sa.exists(twin.c.id).where(
        twin.c.organisation_id == sa.bindparam("own"),
        twin.c.identity >= sa.bindparam("twins_from"),
        twin.c.identity < sa.bindparam("twins_until"),
    )
