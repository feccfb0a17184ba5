"""What became of a bulk run's invoices, noted in the transaction that settles each link."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import BulkRun, BulkRunItem
from domain.outbox import enqueuing
from domain.states import AnnouncementKind, Outcome


def settle_items(
    session: Session, link_id: int, outcome: Outcome, refusal: str | None, now: datetime
) -> None:
    """Tell the bulk runs that wait for this link; the last one to be told finishes its run."""
    session.flush()
    runs = session.scalars(
        sa.update(BulkRunItem)
        .where(BulkRunItem.link_id == link_id, BulkRunItem.outcome == Outcome.BEING_CREATED)
        .values(outcome=outcome, refusal=refusal)
        .returning(BulkRunItem.run_id)
        .execution_options(synchronize_session=False)
    ).all()
    for run_id in runs:
        finish_if_settled(session, run_id, now)


def finish_if_settled(session: Session, run_id: int, now: datetime) -> None:
    """When nothing of the run is being created any more, close it and tell whoever asked."""
    # The lock makes the last two of several processes see each other's items.
    run = session.scalar(sa.select(BulkRun).where(BulkRun.id == run_id).with_for_update())
    if run is None or run.finished_at is not None:
        return
    waiting = sa.select(BulkRunItem.run_id).where(
        BulkRunItem.run_id == run_id, BulkRunItem.outcome == Outcome.BEING_CREATED
    )
    if session.scalar(sa.select(waiting.exists())):
        return
    run.finished_at = now
    enqueuing.enqueue(
        session,
        AnnouncementKind.BULK_RESULT,
        f"bulk_run:{run.id}",
        organisation_id=run.organisation_id,
        now=now,
        destination=run.requested_by,
        run_id=run.id,
    )
