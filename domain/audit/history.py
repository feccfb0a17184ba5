"""One invoice's entries, for people: the newest first."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.audit.chain import Entry
from domain.audit.deeds import Deed
from domain.audit.reading import ENTRIES, entry_of

PAGE = 25


@dataclass(frozen=True)
class History:
    """A page of them, counted from 0."""

    entries: tuple[Entry, ...]
    page: int
    has_next: bool


def read(session: Session, organisation_id: int, invoice_id: int, page: int) -> History:
    """Also what versions before 0026 wrote, which name an invoice in their subject."""
    until = (page + 1) * PAGE + 1
    of_organisation = sa.select(ENTRIES).where(ENTRIES.c.organisation_id == organisation_id)
    said = of_organisation.where(ENTRIES.c.invoice_id == invoice_id)
    before = of_organisation.where(
        ENTRIES.c.invoice_id.is_(None),
        ENTRIES.c.action == sa.literal_column(f"'{Deed.LINK_ASKED}'"),
        ENTRIES.c.subject == f"invoice {invoice_id}",
    )
    rows = [
        row
        for found in (said, before)
        for row in session.execute(found.order_by(ENTRIES.c.id.desc()).limit(until))
    ]
    rows.sort(key=lambda row: row.id, reverse=True)
    shown = rows[page * PAGE : (page + 1) * PAGE]
    return History(tuple(entry_of(row, None) for row in shown), page, len(rows) >= until)
