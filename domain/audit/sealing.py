"""Chaining: each entry that is committed gets the next place of its organisation's chain, and the hash over the one before.

It is done afterwards, by any process, so that no deed waits for another one's (decision 0032); an entry that a process of a
version before wrote is chained like any other.
"""

from collections.abc import Container

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from domain.audit.chain import FIRST, hash_of, written
from domain.audit.reading import ENTRIES, NOBODY, Unreadable, entry_of, of, told_unreadable
from domain.database import Database, insert_into
from domain.models import AuditHead, Organisation

AT_ONCE = 500
# So many entries between two of a chain's heads in the log.
LOGGED_EVERY = 1_000
_log = structlog.get_logger()


class Sealing:
    """Chains what waits, and says in the log how far each chain has come: where it can't be changed with the database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._logged: dict[int, int] = {}
        self._unchainable: set[int] = set()

    async def seal_waiting(self) -> None:
        for organisation_id in await self._db.background_read(list_waiting):
            try:
                while (head := await self._db.background_write(seal, organisation_id)) is not None:
                    self._log_head(organisation_id, head)
            except (Unreadable, DBAPIError) as error:
                self._log_unchainable(organisation_id, error)
            else:
                self._unchainable.discard(organisation_id)

    def _log_unchainable(self, organisation_id: int, error: Exception) -> None:
        """Once, and not with each round."""
        if organisation_id not in self._unchainable:
            self._unchainable.add(organisation_id)
            _log.error("audit.unchainable", organisation=organisation_id, error=type(error).__name__)

    def _log_head(self, organisation_id: int, head: tuple[int, str]) -> None:
        entries, last = head
        logged = self._logged.get(organisation_id)
        if logged is None or entries - logged >= LOGGED_EVERY:
            self._logged[organisation_id] = entries
            _log.info("audit.chained", organisation=organisation_id, entries=entries, hash=last)


def seal_some(db: Database, organisations: Container[int], portions: int) -> bool:
    """Chain what waits of these, up to so many portions: for the command line, after which there may be no process that does it.

    False if something of them can't be chained, for what it holds; what the database refuses is left to the processes.
    """
    whole = True
    for organisation_id in db.run(list_waiting):
        try:
            while organisation_id in organisations and portions and db.run(seal, organisation_id) is not None:
                portions -= 1
        except Unreadable:
            whole = False
        except DBAPIError:
            continue
    return whole


def list_waiting(session: Session) -> list[int]:
    """Organisations of which something isn't chained."""
    waiting = sa.select(ENTRIES.c.organisation_id).where(ENTRIES.c.position.is_(None)).distinct()
    return [NOBODY if key is None else key for key in session.scalars(waiting)]


def seal(session: Session, organisation_id: int) -> tuple[int, str] | None:
    """Chain the next of what waits: the head afterwards. None if nothing waits, or if somebody else is at it.

    Raises Unreadable if an entry, or the head, holds what Paylink never writes; then nothing is chained.
    """
    with told_unreadable():
        return _seal(session, organisation_id)


def _seal(session: Session, organisation_id: int) -> tuple[int, str] | None:
    session.execute(
        insert_into(session, AuditHead)
        .values(organisation_id=organisation_id, entries=0, hash=FIRST)
        .on_conflict_do_nothing(index_elements=["organisation_id"])
    )
    locked = sa.select(AuditHead).where(AuditHead.organisation_id == organisation_id)
    head = session.scalar(locked.with_for_update(skip_locked=True).execution_options(populate_existing=True))
    if head is None:
        return None
    # Asked for with the lock held: what others chained is seen as such.
    waiting = sa.select(ENTRIES).where(of(organisation_id), ENTRIES.c.position.is_(None))
    rows = session.execute(waiting.order_by(ENTRIES.c.id).limit(AT_ONCE)).all()
    if not rows:
        return None
    team = session.scalar(sa.select(Organisation.team_id).where(Organisation.id == organisation_id))
    entries, last, places = head.entries, head.hash, []
    for row in rows:
        entries += 1
        last = hash_of(written(entry_of(row, team, entries), last))
        places.append((entries, last, row.id))
    _write(session, places)
    head.entries, head.hash = entries, last
    return entries, last


def _write(session: Session, places: list[tuple[int, str, int]]) -> None:
    """Past SQLAlchemy's own making of many statements, which takes twice as long as all else of chaining."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql("UPDATE audit SET position = ?, hash = ? WHERE id = ?", places)
        return
    statement = sa.text(
        "UPDATE audit SET position = given.position, hash = given.hash "
        "FROM unnest(CAST(:positions AS BIGINT[]), CAST(:hashes AS TEXT[]), CAST(:ids AS BIGINT[])) "
        "AS given (position, hash, id) WHERE audit.id = given.id"
    )
    positions, hashes, ids = zip(*places, strict=True)
    session.execute(statement, {"positions": list(positions), "hashes": list(hashes), "ids": list(ids)})
