"""What became of a bulk run's invoices, noted in the transaction that settles each link."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Base, BulkRun, BulkRunItem
from domain.outbox import enqueuing
from domain.states import AnnouncementKind, Outcome

_ITEMS = Base.metadata.tables[BulkRunItem.__tablename__]
_RUNS = Base.metadata.tables[BulkRun.__tablename__]
# Every link of a run takes them: written once for all. What is open is said in the statement itself, so that SQLite
# sees at once that the index of it will do.
_OPEN = _ITEMS.c.outcome == sa.literal_column(f"'{Outcome.BEING_CREATED}'")
_OF_LINK = sa.and_(_ITEMS.c.link_id == sa.bindparam("link"), _OPEN)
# The lock makes the last two of several processes see each other's items.
_HELD = (
    sa.select(_RUNS.c.id)
    .where(_RUNS.c.id.in_(sa.select(_ITEMS.c.run_id).where(_OF_LINK)))
    .order_by(_RUNS.c.id)
    .with_for_update()
    .subquery("held")
)
_SETTLE = (
    sa.update(_ITEMS)
    .where(_OF_LINK, _ITEMS.c.run_id == _HELD.c.id)
    .values(outcome=sa.bindparam("became"), refusal=sa.bindparam("said"))
    .returning(_ITEMS.c.run_id)
)
_BEING_CREATED = sa.select(_ITEMS.c.run_id).where(_ITEMS.c.run_id == _RUNS.c.id, _OPEN)
_FINISH = (
    sa.update(_RUNS)
    .where(_RUNS.c.id == sa.bindparam("run"), _RUNS.c.finished_at.is_(None), ~_BEING_CREATED.exists())
    .values(finished_at=sa.bindparam("now"))
    .returning(_RUNS.c.organisation_id, _RUNS.c.requested_by)
)


def settle_items(
    session: Session, link_id: int, outcome: Outcome, refusal: str | None, now: datetime
) -> None:
    """Tell the bulk runs that wait for this link; the last one to be told finishes its run."""
    given = {"link": link_id, "became": outcome, "said": refusal}
    for run_id in session.scalars(_SETTLE, given).all():
        finish_if_settled(session, run_id, now)


def finish_if_settled(session: Session, run_id: int, now: datetime) -> bool:
    """When nothing of the run, which the caller has locked, is being created any more, close it and tell whoever asked;
    whether that was now."""
    finished = session.execute(_FINISH, {"run": run_id, "now": now}).first()
    if finished is None:
        return False
    enqueuing.enqueue(
        session,
        AnnouncementKind.BULK_RESULT,
        f"bulk_run:{run_id}",
        organisation_id=finished.organisation_id,
        now=now,
        destination=finished.requested_by,
        run_id=run_id,
    )
    return True
