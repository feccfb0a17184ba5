"""Paid messages that wait together for one channel, told in one message instead of a wall of them.

The first of them says it for the others, which keep their rows: those are no longer claimed while it waits or is posted,
by this version or one before, and become what it becomes. A version before that takes it over posts it alone, in an
attempt of its own: then the others were told by nobody.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from domain.models import IS_OPEN, OutboxMessage, is_open
from domain.states import OPEN, AnnouncementKind, MessageState

_SPEAKER, _BEHIND = aliased(OutboxMessage), aliased(OutboxMessage)
ARE_ANY_BEHIND = sa.exists(_BEHIND.id).where(
    is_open(_BEHIND),
    _BEHIND.organisation_id == OutboxMessage.organisation_id,
    _BEHIND.destination == OutboxMessage.destination,
    _BEHIND.id != OutboxMessage.id,
)
"""Whether another open message is for where this one is for: else none is told with it."""
_LEFT = (
    sa.select(OutboxMessage, _SPEAKER)
    .join(_SPEAKER, _SPEAKER.id == OutboxMessage.told_by_id)
    .where(
        IS_OPEN,
        OutboxMessage.organisation_id == sa.bindparam("organisation"),
        OutboxMessage.destination == "",
    )
    .where(OutboxMessage.state == MessageState.SENDING, _SPEAKER.state.not_in(OPEN))
)

# More than so many that wait are told together; so many at most, each with its button, in one message's 50 blocks.
MORE_THAN, AT_MOST = 5, 25


def gather(session: Session, speaker: OutboxMessage) -> Sequence[OutboxMessage]:
    """Those that ``speaker``, which has just been claimed, tells besides its own; the same ones until it is settled."""
    own = list(
        session.scalars(
            sa.select(OutboxMessage)
            .where(IS_OPEN, _in_the_channel_of(speaker), OutboxMessage.told_by_id == speaker.id)
            .order_by(OutboxMessage.id)
        )
    )
    is_fresh = not speaker.may_be_posted and speaker.attempts == 0
    is_paid = speaker.kind is AnnouncementKind.PAID and speaker.payment_id is not None
    if own or speaker.destination or not (is_paid and is_fresh):
        return own
    waiting = (
        sa.select(OutboxMessage)
        .where(IS_OPEN, _in_the_channel_of(speaker), OutboxMessage.id > speaker.id)
        .where(OutboxMessage.kind == AnnouncementKind.PAID, OutboxMessage.state == MessageState.WAITING)
        .where(~OutboxMessage.may_be_posted, OutboxMessage.attempts == 0)
        .where(OutboxMessage.payment_id.is_not(None))
        .order_by(OutboxMessage.id)
        .limit(AT_MOST - 1)
        .with_for_update(skip_locked=True)
    )
    others = list(session.scalars(waiting))
    if len(others) < MORE_THAN:
        return []
    for message in others:
        # Without a lease nobody thinks that whoever sends it has died.
        message.state, message.told_by_id = MessageState.SENDING, speaker.id
    return others


def begin(session: Session, speaker_id: int) -> None:
    """The attempt of ``speaker_id`` that begins is the one that tells them."""
    attempts = sa.select(OutboxMessage.attempts).where(OutboxMessage.id == speaker_id).scalar_subquery()
    session.execute(sa.update(OutboxMessage).where(_told_by(speaker_id)).values(told_in_attempt=attempts))


def post(session: Session, speaker_id: int, channel: str, ts: str) -> list[int]:
    """They stand where it stands; their ids."""
    posted = (
        sa.update(OutboxMessage)
        .where(_told_by(speaker_id))
        .values(state=MessageState.POSTED, posted_channel=channel, posted_ts=ts, problem=None)
    )
    return list(session.scalars(posted.returning(OutboxMessage.id)))


def release(session: Session, speaker_id: int, next_attempt_at: datetime) -> None:
    """It was certainly not posted: each is for itself again."""
    session.execute(
        sa.update(OutboxMessage)
        .where(_told_by(speaker_id))
        .values(
            state=MessageState.WAITING,
            told_by_id=None,
            told_in_attempt=None,
            next_attempt_at=next_attempt_at,
        )
    )


def doubt(session: Session, speaker_id: int, code: str) -> list[int]:
    """Nobody can know whether it was posted, nor they with it; their ids."""
    unknown = (
        sa.update(OutboxMessage).where(_told_by(speaker_id)).values(state=MessageState.UNKNOWN, problem=code)
    )
    return list(session.scalars(unknown.returning(OutboxMessage.id)))


def take_back(session: Session, organisation_id: int, now: datetime) -> None:
    """Settle those whose speaker a version before has settled: told, if it found the message that names them."""
    for message, told in session.execute(_LEFT, {"organisation": organisation_id}).all():
        if told.state is MessageState.POSTED and told.attempts == message.told_in_attempt:
            message.state = MessageState.POSTED
            message.posted_channel, message.posted_ts = told.posted_channel, told.posted_ts
        else:
            message.state, message.told_by_id, message.told_in_attempt = MessageState.WAITING, None, None
            message.next_attempt_at = now


def _in_the_channel_of(speaker: OutboxMessage) -> sa.ColumnElement[bool]:
    return sa.and_(
        OutboxMessage.organisation_id == speaker.organisation_id,
        OutboxMessage.destination == speaker.destination,
    )


def _told_by(speaker_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(IS_OPEN, OutboxMessage.told_by_id == speaker_id)
