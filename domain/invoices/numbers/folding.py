"""Giving invoices that a version before wrote their identities, in short transactions (decision 0024).

That version goes on writing until it is replaced. So this is done at an upgrade, at each start, and before each chunk of
an import, which by then has the organisation to itself.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.invoices.numbers import twins
from domain.invoices.numbers.keys import number_key
from domain.models import Invoice, Organisation
from domain.models.invoices import UNFOLDED

AT_ONCE = 1_000


class Folding:
    """Once for each start: a version before may have gone on to write until then."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._done = False

    async def fold(self) -> None:
        """In short transactions, each of which may be the last one that a stop lets end."""
        if self._done:
            return
        while await self._db.background_write(fold_some):
            pass
        for organisation_id in await self._db.background_read(_organisations):
            after: str | None = ""
            while after is not None:
                after = await self._db.background_write(mark_twins, organisation_id, after)
        self._done = True


def fold_all(db: Database) -> int:
    """Every organisation's; how many. For the command line."""
    folded = 0
    while some := db.run(fold_some):
        folded += some
    return folded


def fold_some(session: Session, organisation_id: int | None = None) -> int:
    """Up to so many of one organisation, of this one or of any; 0 if there are none."""
    unfolded = sa.select(Invoice.organisation_id).where(_is_unfolded(session)).limit(1)
    if organisation_id is not None:
        unfolded = unfolded.where(Invoice.organisation_id == organisation_id)
    owner = session.scalar(unfolded)
    if owner is None:
        return 0
    lock_numbers(session, owner)
    rows = session.execute(
        sa.select(Invoice.id, Invoice.number_key)
        .where(Invoice.organisation_id == owner, _is_unfolded(session))
        .order_by(Invoice.id)
        .limit(AT_ONCE)
    ).all()
    keys = {row.id: number_key(row.number_key) for row in rows}
    taken = _taken(session, owner, keys)
    values = []
    for invoice_id, key in keys.items():
        identity = twins.mark(key, invoice_id) if key in taken or not key else key
        taken.add(key)
        values.append({"id": invoice_id, "identity": identity})
    if values:
        session.execute(sa.update(Invoice), values)
    return len(values)


def fold_organisation(run: Callable[..., Any], organisation_id: int) -> None:
    """All of one organisation's, for an import: a chunk of it finds few left to fold then. ``run`` runs a transaction."""
    while run(fold_some, organisation_id):
        pass


def mark_twins(session: Session, organisation_id: int, after: str) -> str | None:
    """Mark, of the organisation's next identities behind this one, those that are another invoice's whole key by now: the
    version before wrote that one. The last that was looked at; None if there are none."""
    lock_numbers(session, organisation_id)
    own = Invoice.organisation_id == organisation_id
    page = session.execute(
        sa.select(Invoice.id, Invoice.identity)
        .where(own, Invoice.identity > after)
        .order_by(Invoice.identity)
        .limit(AT_ONCE)
    ).all()
    if not page:
        return None
    plain = sa.select(Invoice.number_key).where(own, Invoice.number_key.in_([row.identity for row in page]))
    taken = set(session.scalars(plain.where(Invoice.identity.is_(None))))
    values = [
        {"id": row.id, "identity": twins.mark(row.identity, row.id)} for row in page if row.identity in taken
    ]
    if values:
        session.execute(sa.update(Invoice), values)
    return str(page[-1].identity)


def lock_numbers(session: Session, organisation_id: int) -> None:
    """Keep everybody else who would write numbers of this organisation waiting until the transaction ends."""
    session.execute(
        sa.select(Organisation.id).where(Organisation.id == organisation_id).with_for_update(key_share=True)
    )


def _organisations(session: Session) -> list[int]:
    return list(session.scalars(sa.select(Organisation.id).order_by(Organisation.id)))


def _taken(session: Session, organisation_id: int, keys: dict[int, str]) -> set[str]:
    """Those of the keys of these invoices that another invoice has already."""
    taken: set[str] = set()
    for column in (Invoice.number_key, Invoice.identity):
        own = sa.select(Invoice.id, column).where(Invoice.organisation_id == organisation_id)
        found = session.execute(own.where(column.in_(set(keys.values()))))
        taken |= {key for invoice_id, key in found if key is not None and keys.get(invoice_id) != key}
    return taken


def _is_unfolded(session: Session) -> sa.TextClause:
    return sa.text(UNFOLDED[session.get_bind().dialect.name])
