"""Throwing away what nobody needs any more: drafts of lists, modals that follow nothing any more, events that were settled
long ago, and rows of files that nobody could be sent."""

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database, database_now
from domain.models import FileImport, HeardEvent, OpenHome, OpenView, Selection, SelectionItem, StripeEvent
from domain.states import ImportState

# Slack forgets a modal long before; Stripe lists an event for 30 days.
SELECTIONS_KEPT = timedelta(days=2)
EVENTS_KEPT = timedelta(days=31)
# Of an import: for as long as Slack may not take the message that brings them.
REFUSED_ROWS_KEPT = timedelta(days=1)
# Slack sends an event again for six minutes (docs.slack.dev/apis/events-api#retries).
HEARD_KEPT = timedelta(hours=6)
AT_ONCE = 500


async def prune(db: Database, clock: Callable[[], datetime]) -> None:
    """Delete in short transactions until nothing is left to delete."""
    while await db.background_write(_prune, clock()):
        pass


def _prune(session: Session, now: datetime) -> int:
    old = session.scalars(
        sa.select(Selection.id).where(Selection.touched_at < now - SELECTIONS_KEPT).limit(AT_ONCE)
    ).all()
    session.execute(sa.delete(SelectionItem).where(SelectionItem.selection_id.in_(old)))
    session.execute(sa.delete(Selection).where(Selection.id.in_(old)))
    settled = session.execute(
        sa.select(StripeEvent.ledger_id, StripeEvent.id)
        .where(StripeEvent.settled_at < now - EVENTS_KEPT)
        .limit(AT_ONCE)
    ).all()
    for ledger_id, event_id in settled:
        session.execute(
            sa.delete(StripeEvent).where(StripeEvent.ledger_id == ledger_id, StripeEvent.id == event_id)
        )
    session.execute(
        sa.update(FileImport)
        .where(FileImport.state == ImportState.FINISHED, FileImport.finished_at < now - REFUSED_ROWS_KEPT)
        .where(FileImport.refused.is_not(None))
        .values(refused=None)
    )
    session.execute(sa.delete(HeardEvent).where(HeardEvent.at < now - HEARD_KEPT))
    closed = session.scalars(
        sa.select(OpenView.view_id).where(OpenView.until <= database_now(session)).limit(AT_ONCE)
    ).all()
    session.execute(sa.delete(OpenView).where(OpenView.view_id.in_(closed)))
    session.execute(sa.delete(OpenHome).where(OpenHome.until <= database_now(session)))
    return len(old) + len(settled) + len(closed)
