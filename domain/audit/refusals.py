"""Ids that somebody asked for and that aren't theirs: in the audit of their organisation, and of the one whose they are."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.audit.deeds import Deed, Result
from domain.audit.recording import record
from domain.models import Base, BulkRun, FileImport, Invoice, PaymentException, Selection
from domain.summaries import Actor

_TABLES = {
    "invoice": Invoice,
    "exception": PaymentException,
    "bulk run": BulkRun,
    "import": FileImport,
    "selection": Selection,
}
_WHOSE = {kind: Base.metadata.tables[model.__tablename__].c for kind, model in _TABLES.items()}


def record_refusal(session: Session, what: str, *, by: Actor, now: datetime, organisation_id: int) -> None:
    """``what``: as the error says it, a word and an id."""
    for whose, subject in (
        (organisation_id, what),
        (_other(session, what, organisation_id), f"{what} asked for from {by.team_id}"),
    ):
        if whose is not None:
            record(
                session,
                Deed.ID_REFUSED,
                subject,
                by=by,
                now=now,
                organisation_id=whose,
                result=Result.REFUSED,
            )


def _other(session: Session, what: str, organisation_id: int) -> int | None:
    """The organisation that this is of, if it isn't their own."""
    kind, _, key = what.rpartition(" ")
    columns = _WHOSE.get(kind)
    if columns is None or not key.isdecimal():
        return None
    owner: int | None = session.scalar(sa.select(columns.organisation_id).where(columns.id == int(key)))
    return None if owner == organisation_id else owner
