"""Putting invoices where this version's rules want them, which a version before kept elsewhere in the list."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.invoices.list_position import place
from domain.models import Invoice, Link, Organisation
from domain.money import MOST, RETIRED, SURE
from domain.states import LinkStatus

AT_ONCE = 500
_FIRST_INELIGIBLE = "1"
"""List positions of eligible invoices come before it."""


class Placing:
    """Once for each start: a version before may have gone on to write until then."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._done = False

    async def place_again(self) -> None:
        """In short transactions, each of which may be the last one that a stop lets end."""
        after = 0
        while not self._done:
            ids = await self._db.background_read(_misplaced, after)
            if ids:
                await self._db.background_write(_place, ids)
                after = ids[-1]
            self._done = not ids


def _misplaced(session: Session, after: int) -> list[int]:
    """Invoices that may stand in the wrong place, by id: large ones were ineligible before, retired currencies were not."""
    large = sa.and_(
        Invoice.position >= _FIRST_INELIGIBLE,
        Invoice.status == LinkStatus.NOT_CREATED,
        Invoice.amount.between(SURE + 1, MOST),
    )
    unfit = sa.and_(
        Invoice.position < _FIRST_INELIGIBLE, sa.or_(Invoice.currency.in_(RETIRED), Invoice.amount > MOST)
    )
    found = sa.select(Invoice.id).where(Invoice.id > after, sa.or_(large, unfit))
    return list(session.scalars(found.order_by(Invoice.id).limit(AT_ONCE)))


def _place(session: Session, ids: list[int]) -> None:
    # The invoices first, as whoever reserves a link locks them.
    invoices = session.scalars(
        sa.select(Invoice).where(Invoice.id.in_(ids)).order_by(Invoice.id).with_for_update(key_share=True)
    ).all()
    current = sa.select(Link).join(
        Organisation,
        sa.and_(Organisation.id == Link.organisation_id, Organisation.ledger_id == Link.ledger_id),
    )
    links = {link.invoice_id: link for link in session.scalars(current.where(Link.invoice_id.in_(ids)))}
    for invoice in invoices:
        place(invoice, links.get(invoice.id))
