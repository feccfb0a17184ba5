"""The outbox: messages that Slack must get once, enqueued in the transaction of the fact that they tell."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.database import database_clock, database_now, written_once
from domain.models import Base, OutboxMessage
from domain.states import STUCK, AnnouncementKind, FollowUp, MessageState
from domain.summaries import OPERATOR

_OUTBOX = Base.metadata.tables[OutboxMessage.__tablename__]
_ADD = written_once(
    lambda insert: (
        insert(_OUTBOX)
        .values(next_attempt_at=database_clock(), state=MessageState.WAITING, may_be_posted=False, attempts=0)
        .on_conflict_do_nothing(index_elements=["subject"])
        .returning(_OUTBOX.c.id)
    )
)


class Thread(TypedDict, total=False):
    """What a message follows up, what it says then, and what it tells besides: see OutboxMessage."""

    follows_id: int | None
    broadcast: bool
    says: FollowUp
    batch: str
    import_id: int


def enqueue(
    session: Session,
    kind: AnnouncementKind,
    subject: str,
    *,
    organisation_id: int,
    now: datetime,
    destination: str = "",
    payment_id: int | None = None,
    exception_id: int | None = None,
    run_id: int | None = None,
    **thread: Unpack[Thread],
) -> bool:
    """Add the message unless one with the same ``subject`` is there already; False if it was.

    ``destination`` is the id of a person or of a channel in Slack, or empty for the notification channel.
    """
    message = {
        "organisation_id": organisation_id,
        "kind": kind,
        "subject": subject,
        "key": secrets.token_urlsafe(18),
        "destination": destination,
        "payment_id": payment_id,
        "exception_id": exception_id,
        "run_id": run_id,
        "enqueued_at": now,
        **thread,
    }
    return session.execute(_ADD(session), message).scalar_one_or_none() is not None


def is_person(destination: str) -> bool:
    """Whether a message is for a person, and not for a channel."""
    return destination.startswith(("U", "W"))


@dataclass(frozen=True)
class StuckMessage:
    """A message that waits for the operator."""

    id: int
    state: MessageState
    kind: AnnouncementKind
    enqueued_at: datetime
    problem: str | None
    """Slack's code, if it gave one."""


def list_stuck(session: Session) -> list[StuckMessage]:
    """Messages that wait for the operator: refused for good, or of an outcome that nobody can know."""
    found = session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.state.in_(STUCK)).order_by(OutboxMessage.id)
    )
    return [StuckMessage(one.id, one.state, one.kind, one.enqueued_at, one.problem) for one in found]


def resend(session: Session, message_id: int) -> bool:
    """Put a stuck message back into the queue; False if there is no such stuck message."""
    done = session.execute(
        sa.update(OutboxMessage)
        .where(OutboxMessage.id == message_id, OutboxMessage.state.in_(STUCK))
        .values(
            state=MessageState.WAITING,
            attempts=0,
            next_attempt_at=database_now(session),
            problem=None,
            may_be_posted=False,
            told_by_id=None,
            told_in_attempt=None,
        )
        .returning(OutboxMessage.organisation_id)
    ).scalar_one_or_none()
    if done is not None:
        audit.record(
            session,
            audit.Deed.MESSAGE_RESENT,
            f"message {message_id}",
            by=OPERATOR,
            now=database_now(session),
            organisation_id=done,
        )
    return done is not None
