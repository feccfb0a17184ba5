"""What isn't taken where exceptions are to be heard of is told in the notification channel instead: better there than nowhere."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import database_now
from domain.messages.claims import Claim
from domain.models import OutboxMessage
from domain.outbox.telling import COPY, TOLD_ELSEWHERE
from domain.states import MessageState


def tell_instead(session: Session, claim: Claim) -> bool:
    """Whether it goes there: the first message of each, not the copies for further people."""
    moved = session.execute(
        sa.update(OutboxMessage)
        .where(
            OutboxMessage.id == claim.id,
            OutboxMessage.state == MessageState.SENDING,
            OutboxMessage.owner == claim.lease.owner,
            OutboxMessage.lease_until == claim.until,
            OutboxMessage.kind.in_(TOLD_ELSEWHERE),
            ~OutboxMessage.subject.contains(COPY, autoescape=True),
        )
        .values(
            destination="",
            state=MessageState.WAITING,
            owner=None,
            lease_until=None,
            may_be_posted=False,
            attempted_at=None,
            attempted_channel=None,
            attempts=0,
            problem=None,
            follows_id=None,
            stands_aside=False,
            next_attempt_at=database_now(session),
        )
        .returning(OutboxMessage.id)
    )
    return moved.scalar_one_or_none() is not None
