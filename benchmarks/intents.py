"""The transaction that commits a bulk run: a hundred links reserved, none kept."""

import time

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks.links import PAGE
from benchmarks.measuring import Times
from benchmarks.services import ANNA, now
from domain.database import Database
from domain.links import bulk
from domain.lists import selections
from domain.lists.selection_ids import new_id
from domain.lists.summaries import FIRST_REVISION
from domain.scope import Scope

COUNT = 100
TIMES = 20


class _Undone(Exception):
    pass


def measure(url: str) -> Times:
    """Seconds in bulk.start, before the commit."""
    db = Database(url)
    try:
        _once(db)
        return Times(tuple(_once(db) for _ in range(TIMES)))
    finally:
        db.close_now()


def _once(db: Database) -> float:
    taken = 0.0

    def work(session: Session) -> None:
        nonlocal taken
        organisation = session.scalar(sa.text("SELECT id FROM organisations")) or 0
        ledger = session.scalar(sa.text("SELECT id FROM ledgers WHERE current")) or 0
        scope = Scope(organisation, ledger, livemode=False)
        selection = new_id(ANNA)
        selections.tick(
            session,
            scope,
            ANNA,
            selection,
            revision=FIRST_REVISION,
            displayed=set(),
            ticked=set(),
            acted_at="",
            opened_with="",
            now=now(),
        )
        selections.select_page(session, scope, ANNA, selection, shape=PAGE, now=now())
        seal = bulk.confirm(session, scope, ANNA, selection, now=now()).seal
        session.flush()
        session.expunge_all()
        began = time.perf_counter()
        run = bulk.start(
            session,
            scope,
            ANNA,
            selection,
            seal=seal,
            submission=f"intents:{time.time_ns()}",
            view_id=None,
            now=now(),
        )
        session.flush()
        taken = time.perf_counter() - began
        assert len(run.items) == COUNT, len(run.items)
        raise _Undone

    try:
        db.run(work)
    except _Undone:
        return taken
    raise AssertionError("it was kept")
