"""The transactions of whoever brings a file in: keep it, note how it is read, confirm it, look how far it is."""

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.coordination import turns
from domain.database import database_now, insert_into
from domain.errors import ImportNotFound, ImportOutdated
from domain.import_results import ImportCounts, ImportStanding
from domain.models import Duty, FileImport, Invoice, KnownHeading, Organisation
from domain.organisations import organisations
from domain.scope import Scope
from domain.states import ImportState
from domain.summaries import Actor, OrganisationSummary

if TYPE_CHECKING:
    # What reads files is loaded when one is read: a start doesn't wait for it.
    pass

UNCONFIRMED_KEPT = timedelta(minutes=50)
"""Of a file that nobody says to import nothing is left after an hour, the pauses between two looks included."""


LATELY = 1_000
"""Invoices among which is looked for the currencies that are offered."""


def keep(
    session: Session, scope: Scope, actor: Actor, name: str, content: bytes, digest: str, now: datetime
) -> int:
    """A file as it was brought in; its id. Nothing comes of it until it is confirmed."""
    brought = FileImport(
        organisation_id=scope.organisation_id,
        user_id=actor.user_id,
        name=name,
        content=content,
        digest=digest,
        reading="",
        state=ImportState.PREVIEWED,
        brought_at=now,
        batch=secrets.token_hex(16),
        previewed=_written(ImportCounts()),
    )
    session.add(brought)
    session.flush()
    return brought.id


def get_own(
    session: Session, scope: Scope, actor: Actor, import_id: int, *, lock: bool = False
) -> FileImport:
    """Raises ImportNotFound for what another organisation, or another person, brought in."""
    found = sa.select(FileImport).where(
        FileImport.id == import_id,
        FileImport.organisation_id == scope.organisation_id,
        FileImport.user_id == actor.user_id,
    )
    brought = session.scalar(found.with_for_update() if lock else found)
    if brought is None:
        raise ImportNotFound(f"import {import_id}")
    return brought


@dataclass(frozen=True)
class Kept:
    """A file as it is read for its preview."""

    import_id: int
    organisation: OrganisationSummary
    name: str
    content: bytes
    reading: str


def get_kept(session: Session, scope: Scope, actor: Actor, import_id: int) -> Kept:
    """Raises ImportNotFound, and ImportOutdated if the file isn't kept any more."""
    brought = get_own(session, scope, actor, import_id)
    if brought.state is not ImportState.PREVIEWED or brought.content is None:
        raise ImportOutdated
    organisation = organisations.summarise(session.get_one(Organisation, scope.organisation_id))
    return Kept(brought.id, organisation, brought.name, brought.content, brought.reading)


def note_preview(
    session: Session, scope: Scope, actor: Actor, import_id: int, reading: str, counts: ImportCounts
) -> None:
    """How the file is read, and what the person is shown of it. Raises ImportNotFound, ImportOutdated."""
    brought = get_own(session, scope, actor, import_id, lock=True)
    if brought.state is not ImportState.PREVIEWED:
        raise ImportOutdated
    brought.reading, brought.previewed = reading, _written(counts)


def find_known(session: Session, organisation_id: int, heading: str) -> str:
    """How files with this heading are read, as somebody said it; empty if nobody has."""
    known = session.get(KnownHeading, (organisation_id, heading))
    return "" if known is None else known.reading


def note_answer(
    session: Session, scope: Scope, actor: Actor, import_id: int, reading: str, heading: str, now: datetime
) -> None:
    """How this file is read, and from now on others with its heading. Raises ImportNotFound, ImportOutdated."""
    brought = get_own(session, scope, actor, import_id, lock=True)
    if brought.state is not ImportState.PREVIEWED:
        raise ImportOutdated
    brought.reading = reading
    said = {"reading": reading, "said_by": actor.user_id, "said_at": now}
    statement = insert_into(session, KnownHeading).values(
        organisation_id=scope.organisation_id, heading=heading, **said
    )
    keys = [KnownHeading.organisation_id, KnownHeading.heading]
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_=said))


def list_currencies(session: Session, organisation_id: int) -> tuple[str, ...]:
    """In which the organisation billed lately, those of the most invoices first."""
    latest = (
        sa.select(Invoice.currency)
        .where(Invoice.organisation_id == organisation_id)
        .order_by(Invoice.id.desc())
        .limit(LATELY)
        .subquery()
    )
    found = sa.select(latest.c.currency).group_by(latest.c.currency).order_by(sa.func.count().desc())
    return tuple(session.scalars(found))


def confirm(
    session: Session, scope: Scope, actor: Actor, import_id: int, *, view_id: str | None, now: datetime
) -> ImportStanding:
    """From now on it happens; confirmed again, nothing more. Raises ImportOutdated, ImportNotFound."""
    brought = get_own(session, scope, actor, import_id, lock=True)
    if brought.state is ImportState.PREVIEWED:
        if not brought.reading or brought.content is None:
            raise ImportOutdated
        brought.state, brought.view_id = ImportState.CONFIRMED, view_id
        subject = f"file {brought.digest[:16]}"
        audit.record(
            session,
            audit.Deed.IMPORT_CONFIRMED,
            subject,
            by=actor,
            now=now,
            organisation_id=scope.organisation_id,
        )
    return replace(summarise(brought), waits=_waits(session, brought))


def get_standing(session: Session, scope: Scope, actor: Actor, import_id: int) -> ImportStanding:
    """Raises ImportNotFound."""
    brought = get_own(session, scope, actor, import_id)
    return replace(summarise(brought), waits=_waits(session, brought))


def _waits(session: Session, brought: FileImport) -> bool:
    """Whether nobody is at this import since its turn is another's, in Slack or on the command line."""
    if brought.state is not ImportState.CONFIRMED:
        return False
    now = database_now(session)
    if brought.lease_until is not None and brought.lease_until > now:
        return False
    others = sa.select(Duty.name).where(
        Duty.name == turns.of_imports(brought.organisation_id), Duty.lease_until > now
    )
    return bool(session.scalar(sa.select(others.exists())))


def list_unfinished(session: Session) -> list[tuple[Actor, int, str]]:
    """Imports that go on, with who wanted them and the view that shows them."""
    found = session.execute(
        sa.select(Organisation.team_id, FileImport.user_id, FileImport.id, FileImport.view_id)
        .join(Organisation, Organisation.id == FileImport.organisation_id)
        .where(FileImport.state == ImportState.CONFIRMED)
    )
    return [(Actor(team, user), import_id, view) for team, user, import_id, view in found if view]


def list_last(session: Session, scope: Scope, actor: Actor, limit: int) -> tuple[ImportStanding, ...]:
    """The person's last ones that were begun, the latest first."""
    own = sa.select(FileImport).where(
        FileImport.organisation_id == scope.organisation_id,
        FileImport.user_id == actor.user_id,
        FileImport.state != ImportState.PREVIEWED,
    )
    found = session.scalars(own.order_by(FileImport.id.desc()).limit(limit))
    return tuple(replace(summarise(brought), waits=_waits(session, brought)) for brought in found)


def is_any_unconfirmed(session: Session, now: datetime) -> bool:
    """Whether there is a file to be forgotten."""
    return bool(session.scalar(sa.select(sa.exists().where(_is_unconfirmed(now)))))


def forget_unconfirmed(session: Session, now: datetime) -> int:
    """Files that nobody said to import."""
    old = session.execute(sa.delete(FileImport).where(_is_unconfirmed(now)).returning(FileImport.id))
    return len(old.all())


def _is_unconfirmed(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(FileImport.state == ImportState.PREVIEWED, FileImport.brought_at < now - UNCONFIRMED_KEPT)


def summarise(brought: FileImport) -> ImportStanding:
    previewed = ImportCounts(**json.loads(brought.previewed))
    return ImportStanding(brought.id, brought.name, brought.state, counts_of(brought), previewed)


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def counts_of(brought: FileImport) -> ImportCounts:
    return ImportCounts(brought.new, brought.changed, brought.unchanged, brought.bad, brought.left_out)


def _written(counts: ImportCounts) -> str:
    return json.dumps(asdict(counts))
