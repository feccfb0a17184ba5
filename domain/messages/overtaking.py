"""Messages to a channel keep their order, but for one that Slack refuses with a code that says nothing of why.

It stands aside while it waits for its next attempt. If what is behind it is taken, only it is refused; if that is refused
too, it is the channel.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.messages.claims import Claim
from domain.models import IS_OPEN, OutboxMessage
from domain.states import MessageState


def waits_aside(now: datetime | sa.ColumnElement[datetime]) -> sa.ColumnElement[bool]:
    """Whether others may overtake it. One that may be posted already is waited for."""
    return sa.and_(
        OutboxMessage.stands_aside,
        OutboxMessage.state == MessageState.WAITING,
        ~OutboxMessage.may_be_posted,
        OutboxMessage.next_attempt_at > now,
    )


@dataclass(frozen=True)
class Others:
    """What became of the messages to the same destination that are behind one."""

    posted: bool
    """One of them was taken, so that nothing is wrong with the destination."""
    waiting: bool


def look_behind(session: Session, claim: Claim) -> Others:
    behind = (
        sa.select(sa.literal(1))
        .where(OutboxMessage.id > claim.id, OutboxMessage.organisation_id == claim.organisation_id)
        .where(OutboxMessage.destination == claim.addressed)
    )
    posted = behind.where(OutboxMessage.state == MessageState.POSTED)
    return Others(
        bool(session.scalar(sa.select(posted.exists()))),
        bool(session.scalar(sa.select(behind.where(IS_OPEN).exists()))),
    )
