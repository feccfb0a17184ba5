"""What becomes of messages where Slack takes none: people hear that the notification channel is lost, and exceptions that were to
be heard of elsewhere are told there instead, better than nowhere."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import database_now
from domain.messages.claims import Claim
from domain.messages.transactions import is_claimed
from domain.models import Link, Organisation, OutboxMessage
from domain.outbox import enqueuing
from domain.outbox.telling import COPY, TOLD_ELSEWHERE
from domain.states import AnnouncementKind, MessageState
from domain.summaries import PROGRAM

# Those who are told that a channel was lost: whoever lately created links.
PEOPLE_TOLD = 5


def record_channel_lost(session: Session, claim: Claim, code: str, now: datetime) -> None:
    """Tell the organisation's people once that nothing can be posted to their channel; nothing is lost meanwhile."""
    organisation = session.get_one(Organisation, claim.organisation_id, with_for_update=True)
    if organisation.channel_problem == code:
        return
    organisation.channel_problem = code
    lately = (
        sa.select(Link.requested_by, sa.func.max(Link.reserved_at).label("at"))
        .where(Link.organisation_id == organisation.id, Link.requested_by.is_not(None))
        # Programs have no ears.
        .where(~Link.requested_by.startswith(PROGRAM))
        .group_by(Link.requested_by)
        .order_by(sa.desc("at"))
        .limit(PEOPLE_TOLD)
    )
    for user_id, _ in session.execute(lately).all():
        enqueuing.enqueue(
            session,
            AnnouncementKind.CHANNEL_LOST,
            f"channel_lost:{claim.id}:{code}:{user_id}",
            organisation_id=organisation.id,
            now=now,
            destination=str(user_id),
        )


def tell_instead(session: Session, claim: Claim) -> bool:
    """Whether it goes there: the first message of each, not the copies for further people."""
    moved = session.execute(
        sa.update(OutboxMessage)
        .where(
            is_claimed(claim),
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
