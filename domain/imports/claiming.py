"""An import in the hands of one process: claim it, note how far it is, give it back or end it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination import turns
from domain.coordination.leases import Lease
from domain.database import database_now
from domain.import_results import ImportCounts
from domain.imports.transactions import counts_of
from domain.models import Duty, FileImport, Organisation
from domain.organisations import organisations
from domain.outbox import enqueuing
from domain.states import AnnouncementKind, ImportState
from domain.summaries import OrganisationSummary

if TYPE_CHECKING:
    # What reads files is loaded when one is read: a start doesn't wait for it.
    from domain.files.import_writing import Changes

ATTEMPTS = 20
"""So often an import is begun without getting any further; then whoever wanted it is told."""


class ClaimLost(Exception):
    """Another process is at this import by now."""


@dataclass(frozen=True)
class Claim:
    """An import in the hands of this process."""

    import_id: int
    lease: Lease
    organisation: OrganisationSummary
    user_id: str
    name: str
    content: bytes
    reading: str
    batch: str
    done: int
    counts: ImportCounts
    hopeless: bool
    """It was begun again and again, and never got any further."""


def is_any_due(session: Session, most_bytes: int | None, busy: Collection[int] = ()) -> bool:
    """Whether a claim may find something: at rest nothing is written."""
    return session.execute(_due(database_now(session), most_bytes, busy)).first() is not None


def _due(now: datetime, most_bytes: int | None, busy: Collection[int]) -> sa.Select[int, int]:
    under_way = sa.select(Duty.name).where(
        Duty.name == sa.literal(turns.IMPORTS) + sa.cast(FileImport.organisation_id, sa.String),
        Duty.lease_until > now,
    )
    due = (
        sa.select(FileImport.id, FileImport.organisation_id)
        .where(FileImport.state == ImportState.CONFIRMED)
        .where(sa.or_(FileImport.lease_until.is_(None), FileImport.lease_until <= now))
        .where(~under_way.exists())
    )
    if busy:
        due = due.where(FileImport.organisation_id.not_in(busy))
    if most_bytes is not None:
        due = due.where(sa.func.length(FileImport.content) <= most_bytes)
    return due.order_by(FileImport.id).limit(1)


def claim_next(
    session: Session, lease: Lease, most_bytes: int | None = None, busy: Collection[int] = ()
) -> Claim | None:
    """The oldest confirmed import that is nobody's, of an organisation into which nobody else imports a file now; with
    ``most_bytes`` of a file that isn't larger. ``busy`` are organisations into which this process itself imports."""
    now = database_now(session)
    locked = _due(now, most_bytes, busy).with_for_update(of=FileImport, skip_locked=True)
    due = session.execute(locked).one_or_none()
    if due is None or not turns.take_if_free(session, turns.of_imports(due.organisation_id), lease):
        return None
    session.execute(
        sa.update(FileImport)
        .where(FileImport.id == due.id)
        .values(owner=lease.owner, lease_until=now + lease.length, attempts=FileImport.attempts + 1)
    )
    brought = session.get_one(FileImport, due.id, populate_existing=True)
    return Claim(
        import_id=brought.id,
        lease=lease,
        organisation=organisations.summarise(session.get_one(Organisation, brought.organisation_id)),
        user_id=brought.user_id,
        name=brought.name,
        content=brought.content or b"",
        reading=brought.reading,
        batch=brought.batch,
        done=brought.done,
        counts=counts_of(brought),
        hopeless=brought.attempts > ATTEMPTS,
    )


def note_progress(
    session: Session, claim: Claim, done: int, records: int, changes: "Changes", bad: int, left_out: int
) -> None:
    """``records`` more than ``done`` have been dealt with, in this transaction. Raises ClaimLost."""
    ours = session.execute(
        sa.update(FileImport)
        .where(_claimed(claim), FileImport.done == done)
        .values(
            done=done + records,
            new=FileImport.new + changes.new,
            changed=FileImport.changed + changes.updated,
            unchanged=FileImport.unchanged + changes.unchanged,
            bad=FileImport.bad + bad,
            left_out=FileImport.left_out + left_out,
            attempts=0,
            lease_until=database_now(session) + claim.lease.length,
        )
        .returning(FileImport.id)
    ).scalar_one_or_none()
    if ours is None:
        raise ClaimLost
    turns.extend(session, _turn(claim), claim.lease)


def release(session: Session, claim: Claim, delay: timedelta = timedelta(0)) -> None:
    """Give the claim back: it is due again after ``delay``."""
    ours = session.execute(
        sa.update(FileImport)
        .where(_claimed(claim))
        .values(lease_until=database_now(session) + delay)
        .returning(FileImport.id)
    ).scalar_one_or_none()
    if ours is not None:
        turns.end(session, _turn(claim), claim.lease)


def end(
    session: Session,
    claim: Claim,
    state: ImportState,
    done: int,
    *,
    refused: bytes | None,
    now: datetime,
) -> None:
    """``done`` records have been dealt with: erase the file, and tell whoever wanted it. Raises ClaimLost."""
    ours = session.execute(
        sa.update(FileImport)
        .where(_claimed(claim), FileImport.done == done)
        .values(
            state=state,
            content=None,
            refused=refused,
            finished_at=now,
            owner=None,
            lease_until=None,
        )
        .returning(FileImport.id)
    ).scalar_one_or_none()
    if ours is None:
        raise ClaimLost
    turns.end(session, _turn(claim), claim.lease)
    enqueuing.enqueue(
        session,
        AnnouncementKind.IMPORT_RESULT,
        f"import:{claim.import_id}",
        organisation_id=claim.organisation.id,
        now=now,
        destination=claim.user_id,
        import_id=claim.import_id,
    )


def _turn(claim: Claim) -> str:
    return turns.of_imports(claim.organisation.id)


def _claimed(claim: Claim) -> sa.ColumnElement[bool]:
    return sa.and_(
        FileImport.id == claim.import_id,
        FileImport.state == ImportState.CONFIRMED,
        FileImport.owner == claim.lease.owner,
    )
