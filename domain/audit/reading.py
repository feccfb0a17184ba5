"""Entries out of the database, in the order of the chain, page by page: however many there are, memory is flat."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from domain.audit.chain import Entry
from domain.models import AuditEntry, AuditHead, Base, Organisation

PAGE = 1_000
NOBODY = 0
"""Stands for an organisation's id in the head of what belongs to none."""
ENTRIES = Base.metadata.tables[AuditEntry.__tablename__]

Run = Callable[..., Any]
"""Runs a transaction: Database.run."""


def of(organisation_id: int) -> sa.ColumnElement[bool]:
    """The entries of an organisation, or those of none."""
    column = ENTRIES.c.organisation_id
    return column.is_(None) if organisation_id == NOBODY else column == organisation_id


def entry_of(row: Any, organisation: str | None, position: int | None = None) -> Entry:
    """``position``: that it is given, if it hasn't one yet."""
    return Entry(
        id=row.id,
        organisation=organisation,
        at=row.at,
        actor=row.actor,
        deed=row.action,
        subject=row.subject,
        source=row.source,
        result=row.result,
        invoice_id=row.invoice_id,
        invoice=row.invoice_number,
        before=row.before,
        after=row.after,
        position=row.position or position,
        hash=row.hash,
    )


def list_organisations(session: Session, team_id: str | None = None) -> list[tuple[int, str | None]]:
    """The id and the team of each organisation, or of one; at the end NOBODY, if anything belongs to none."""
    known = sa.select(Organisation.id, Organisation.team_id).order_by(Organisation.id)
    if team_id is not None:
        known = known.where(Organisation.team_id == team_id)
    found: list[tuple[int, str | None]] = [(key, team) for key, team in session.execute(known)]
    anything = sa.select(sa.exists().where(of(NOBODY)))
    if team_id is None and (session.get(AuditHead, NOBODY) is not None or session.scalar(anything)):
        found.append((NOBODY, None))
    return found


class Unreadable(Exception):
    """What is to be read next holds what Paylink never writes: SQLite keeps anything in any column."""


@contextmanager
def told_unreadable() -> Iterator[None]:
    """Raise Unreadable for what comes out of the database and is no time, no number, or no text in UTF-8."""
    try:
        yield
    except (TypeError, ValueError, OverflowError):
        raise Unreadable from None
    except OperationalError as error:
        # Python's own, which has no code of SQLite's: the database answers.
        if "Could not decode to UTF-8" in str(error.orig):
            raise Unreadable from None
        raise


def read_chain(run: Run, organisation_id: int, organisation: str | None) -> Iterator[Entry]:
    """What is chained, in its order, as it stands: also what is in it twice. Raises Unreadable where it comes to such an entry."""
    after: tuple[int, int] | None = None
    size = PAGE
    while True:
        try:
            rows = run(_page, organisation_id, after, size)
        except Unreadable:
            if size == 1:
                raise
            size = 1
            continue
        if not rows:
            return
        for row in rows:
            if not isinstance(row.position, int):
                raise Unreadable
            yield entry_of(row, organisation)
        after = rows[-1].position, rows[-1].id


def read_waiting(run: Run, organisation_id: int, organisation: str | None) -> Iterator[Entry]:
    """What isn't chained yet, in the order in which it was written. Raises Unreadable if something of it is."""
    after = 0
    while rows := run(_waiting, organisation_id, after):
        for row in rows:
            yield entry_of(row, organisation)
        after = rows[-1].id


def _page(session: Session, organisation_id: int, after: tuple[int, int] | None, size: int) -> list[Any]:
    found = sa.select(ENTRIES).where(of(organisation_id), ENTRIES.c.position.is_not(None))
    if after is not None:
        found = found.where(
            ENTRIES.c.position >= after[0], sa.tuple_(ENTRIES.c.position, ENTRIES.c.id) > sa.tuple_(*after)
        )
    with told_unreadable():
        return list(session.execute(found.order_by(ENTRIES.c.position, ENTRIES.c.id).limit(size)))


def _waiting(session: Session, organisation_id: int, after: int) -> list[Any]:
    found = sa.select(ENTRIES).where(of(organisation_id), ENTRIES.c.position.is_(None), ENTRIES.c.id > after)
    with told_unreadable():
        return list(session.execute(found.order_by(ENTRIES.c.id).limit(PAGE)))
