"""The one way in which entries leave the database: all of an organisation's, with the organisation."""

from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.audit.chain import FIRST
from domain.audit.deeds import Deed
from domain.audit.reading import ENTRIES, of
from domain.audit.recording import By, record
from domain.database import insert_into
from domain.models import AuditErasure, AuditHead
from domain.states import Source


def erase(
    session: Session,
    organisation_id: int,
    team_id: str,
    *,
    by: By,
    now: datetime,
    source: Source | None = None,
) -> int:
    """Erase an organisation's audit, for whoever forgets the organisation in this transaction; how many entries it had.

    That it was done, by whom, and how the chain ended stays in an entry that belongs to no organisation.
    """
    session.execute(
        insert_into(session, AuditErasure).values(organisation_id=organisation_id).on_conflict_do_nothing()
    )
    # Nobody chains meanwhile.
    head = session.get(AuditHead, organisation_id, with_for_update=True)
    chained, last = (0, FIRST) if head is None else (head.entries, head.hash)
    erased = cast(
        "sa.CursorResult[Any]", session.execute(sa.delete(ENTRIES).where(of(organisation_id)))
    ).rowcount
    session.execute(sa.delete(AuditHead).where(AuditHead.organisation_id == organisation_id))
    session.execute(sa.delete(AuditErasure).where(AuditErasure.organisation_id == organisation_id))
    record(
        session,
        Deed.ORGANISATION_FORGOTTEN,
        f"{team_id} {chained}:{last}",
        by=by,
        now=now,
        organisation_id=None,
        source=source,
    )
    return erased
