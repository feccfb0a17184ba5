"""What is told again, or later: a deadline that is near, and what an import that broke off has changed."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.exceptions.adoption import adopt_older
from domain.exceptions.opening import BATCH_SUBJECT, find_message
from domain.exceptions.undelivered import list_unopened, open_undelivered
from domain.models import OutboxMessage, PaymentException, Reversal
from domain.outbox import telling
from domain.states import AnnouncementKind, FollowUp

BEFORE_DEADLINE = timedelta(hours=24)
BROKEN_OFF = timedelta(hours=1)
"""An import that has changed nothing more for so long, and told nothing, won't."""


async def look_after(
    db: Database, clock: Callable[[], datetime], stripe_clock: Callable[[], datetime]
) -> None:
    """Take up what the version before wrote, remind of deadlines, and tell what is untold: in short transactions.

    Deadlines are of Stripe's time.
    """
    while await db.background_write(adopt_older, clock()):
        pass
    now = clock()
    for message_id in await db.background_read(list_unopened):
        await db.background_write(open_undelivered, message_id, now)
    # Most of the time there is nothing to write.
    if await db.background_read(list_near_deadlines, stripe_clock()):
        await db.background_write(remind, stripe_clock())
    for batch, organisation_id in await db.background_read(list_untold_batches, now - BROKEN_OFF):
        await db.background_write(tell_batch, batch, organisation_id, now)


def remind(session: Session, now: datetime) -> int:
    """Tell each deadline that passes within a day again, once, in the thread of its exception's message; how many."""
    reminded = 0
    for exception_id in list_near_deadlines(session, now):
        exception = session.get_one(PaymentException, exception_id)
        assert exception.organisation_id is not None
        reminded += telling.tell(
            session,
            AnnouncementKind.FOLLOW_UP,
            _reminder(exception_id, exception.due_by),
            organisation_id=exception.organisation_id,
            now=now,
            exception_id=exception_id,
            follows_id=find_message(session, exception_id),
            says=FollowUp.DEADLINE,
        )
    return reminded


def list_near_deadlines(session: Session, now: datetime) -> list[int]:
    """Open exceptions that are to be answered within a day and aren't, and of which nobody was reminded yet.

    What was told within that day needs no telling again.
    """
    found: Sequence[Any] = session.execute(
        sa.select(PaymentException.id, PaymentException.due_by, PaymentException.seen_at)
        .outerjoin(Reversal, Reversal.id == PaymentException.reversal_id)
        .where(PaymentException.resolved_at.is_(None), PaymentException.organisation_id.is_not(None))
        .where(PaymentException.due_by > now, PaymentException.due_by <= now + BEFORE_DEADLINE)
        .where(sa.func.coalesce(Reversal.submitted, sa.false()).is_(sa.false()))
        .order_by(PaymentException.due_by)
    ).all()
    near = {
        _reminder(row.id, row.due_by): row.id for row in found if row.seen_at < row.due_by - BEFORE_DEADLINE
    }
    told = set(session.scalars(sa.select(OutboxMessage.subject).where(OutboxMessage.subject.in_(near))))
    return [exception_id for subject, exception_id in near.items() if subject not in told]


def list_untold_batches(session: Session, until: datetime) -> list[tuple[str, int]]:
    """Batches of which nobody was told and to which nothing was added since: (batch, organisation)."""
    # By the subject, which has an index.
    subject = sa.literal(BATCH_SUBJECT) + PaymentException.batch
    told = sa.select(OutboxMessage.id).where(OutboxMessage.subject == subject)
    found = (
        sa.select(PaymentException.batch, PaymentException.organisation_id)
        .where(PaymentException.batch.is_not(None), PaymentException.organisation_id.is_not(None))
        .where(PaymentException.resolved_at.is_(None), ~told.exists())
        .group_by(PaymentException.batch, PaymentException.organisation_id)
        .having(sa.func.max(PaymentException.seen_at) <= until)
    )
    return [
        (row.batch, row.organisation_id)
        for row in session.execute(found)
        if row.batch and row.organisation_id
    ]


def tell_batch(session: Session, batch: str, organisation_id: int, now: datetime) -> bool:
    """One message for all exceptions of the batch, if there are any; False if there aren't, or it was told already."""
    any_of_it = sa.select(PaymentException.id).where(PaymentException.batch == batch)
    if not session.scalar(sa.select(any_of_it.exists())):
        return False
    return telling.tell(
        session,
        AnnouncementKind.AMOUNTS_CHANGED,
        f"{BATCH_SUBJECT}{batch}",
        organisation_id=organisation_id,
        now=now,
        batch=batch,
    )


def _reminder(exception_id: int, due_by: datetime | None) -> str:
    assert due_by is not None
    return f"deadline:{exception_id}:{int(due_by.timestamp())}"
