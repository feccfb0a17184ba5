"""The transactions of delivering the outbox: claim, begin, record what came of it."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.coordination.pacing import hold_back
from domain.database import CLOCK_MILLISECONDS, database_clock, database_now
from domain.exceptions.undelivered import open_undelivered, settle_delivered
from domain.messages import together
from domain.messages.claims import Claim
from domain.messages.contents import with_contents
from domain.messages.due import FIRST_DUE
from domain.messages.happened import note_posted
from domain.messages.summaries import Announcement
from domain.models import (
    IS_OPEN,
    Base,
    FileImport,
    Instant,
    Organisation,
    OutboxMessage,
    PaymentException,
    Reversal,
    milliseconds,
)
from domain.organisations import settings
from domain.outbox import enqueuing
from domain.states import AnnouncementKind, FollowUp, MessageState

_OUTBOX = Base.metadata.tables[OutboxMessage.__tablename__]
_LONG_ENOUGH = CLOCK_MILLISECONDS + sa.bindparam("half", type_=sa.BigInteger)
_BEGIN = (
    sa.update(_OUTBOX)
    .where(
        _OUTBOX.c.id == sa.bindparam("message"),
        _OUTBOX.c.state == MessageState.SENDING,
        _OUTBOX.c.owner == sa.bindparam("claimant"),
        _OUTBOX.c.lease_until == sa.bindparam("until"),
    )
    .where(sa.type_coerce(_OUTBOX.c.lease_until, sa.BigInteger) > _LONG_ENOUGH)
    .values(
        may_be_posted=True,
        attempted_channel=sa.bindparam("to"),
        attempted_at=sa.func.coalesce(_OUTBOX.c.attempted_at, database_clock()),
        last_attempted_at=database_clock(),
        attempts=_OUTBOX.c.attempts + 1,
    )
    .returning(_OUTBOX.c.id)
)

# Destinations claimed at once; each is one message at a time.
AT_ONCE = 20
# Seconds; Slack takes one message a second for each channel (docs/facts/slack.md).
LEAST_APART = 1.0


def claim_due(session: Session, organisation_id: int, lease: Lease, *, any_left: bool = True) -> list[Claim]:
    """Claim the organisation's first open message to each destination if it is due; a destination's order is kept.

    A message whose claim ended without a word may have been posted: it is looked for, once the margin is over. Without
    ``any_left`` nobody looks for those, nor for what others left half settled (due.py).
    """
    if any_left:
        now = database_now(session)
        # Whoever died there might have waited for Slack's answer for half a lease (see begin_posting).
        _doubt_abandoned(session, organisation_id, now, lease.length / 2 + lease.margin)
        together.take_back(session, organisation_id, now)
    due = session.execute(FIRST_DUE, {"organisation": organisation_id, "most": AT_ONCE}).all()
    return [
        _claim(session, message, organisation, lease, now, any_behind=any_behind)
        for message, organisation, any_behind, now in due
        if not _dropped(session, message, now)
    ]


def _doubt_abandoned(session: Session, organisation_id: int, now: datetime, settled_after: timedelta) -> None:
    session.execute(
        sa.update(OutboxMessage)
        .where(IS_OPEN, OutboxMessage.organisation_id == organisation_id)
        .where(OutboxMessage.state == MessageState.SENDING, OutboxMessage.lease_until < now)
        .values(
            state=MessageState.WAITING,
            owner=None,
            lease_until=None,
            next_attempt_at=sa.case(
                (
                    OutboxMessage.may_be_posted,
                    sa.type_coerce(OutboxMessage.last_attempted_at, sa.BigInteger)
                    + milliseconds(settled_after),
                ),
                else_=sa.literal(now, Instant),
            ),
        )
    )


def _dropped(session: Session, message: OutboxMessage, now: datetime) -> bool:
    """Nobody is to be reminded of a deadline that was met, or has passed, while the message waited."""
    if message.says is not FollowUp.DEADLINE or message.may_be_posted:
        return False
    exception = session.get_one(PaymentException, message.exception_id)
    reversal = None if exception.reversal_id is None else session.get(Reversal, exception.reversal_id)
    passed = exception.due_by is None or exception.due_by <= now
    if exception.resolved_at is None and not passed and not (reversal and reversal.submitted):
        return False
    session.delete(message)
    return True


def _claim(
    session: Session,
    message: OutboxMessage,
    organisation: Organisation,
    lease: Lease,
    now: datetime,
    *,
    any_behind: bool,
) -> Claim:
    message.state, message.owner, message.lease_until = MessageState.SENDING, lease.owner, now + lease.length
    others = together.gather(session, message) if any_behind else ()
    session.flush()
    destination = message.destination or organisation.channel or ""
    if message.may_be_posted and message.attempted_channel:
        # Where it may stand, even if announcements go elsewhere by now.
        destination = message.attempted_channel
    announcement = Announcement(
        id=message.id,
        organisation_id=organisation.id,
        kind=message.kind,
        key=message.key,
        destination=destination,
        attempts=message.attempts,
        may_be_posted=message.may_be_posted,
        attempted_at=message.attempted_at,
        problem=organisation.channel_problem,
        channel=organisation.channel,
        conversation=_find_conversation(session, message) if message.may_be_posted else None,
        language=settings.get(session, organisation.id).language,
    )
    return Claim(
        id=message.id,
        organisation_id=organisation.id,
        addressed=message.destination,
        lease=lease,
        until=message.lease_until,
        enqueued_at=message.enqueued_at,
        announcement=with_contents(session, message, announcement, others),
    )


def _find_conversation(session: Session, message: OutboxMessage) -> str | None:
    """Slack tells it with the answer to a direct message, and to ask for it without one takes a scope more."""
    if not enqueuing.is_person(message.destination):
        return None
    before = sa.select(OutboxMessage.posted_channel).where(
        OutboxMessage.organisation_id == message.organisation_id,
        OutboxMessage.state == MessageState.POSTED,
        OutboxMessage.destination == message.destination,
        OutboxMessage.posted_channel.startswith("D"),
    )
    return session.scalar(before.order_by(OutboxMessage.id.desc()).limit(1))


def begin_posting(session: Session, claim: Claim) -> bool:
    """As ``note_attempt``. The next one to this destination comes no sooner than ``LEAST_APART`` after it, however late this
    one is."""
    begun = note_attempt(session, claim)
    if begun:
        hold_back(session, claim.pace, LEAST_APART)
    return begun


def note_attempt(session: Session, claim: Claim) -> bool:
    """Write the attempt down before it is made; False if the claim is no longer ours for long enough."""
    whose = {"message": claim.id, "claimant": claim.lease.owner, "until": claim.until}
    attempt = {"to": claim.announcement.destination, "half": milliseconds(claim.lease.length / 2)}
    if session.execute(_BEGIN, whose | attempt).scalar_one_or_none() is None:
        session.execute(
            sa.update(OutboxMessage)
            .where(is_claimed(claim))
            .values(
                state=MessageState.WAITING,
                owner=None,
                lease_until=None,
                next_attempt_at=database_now(session),
            )
        )
        return False
    if claim.announcement.together:
        together.begin(session, claim.id)
    return True


def record_posted(session: Session, claim: Claim, channel: str, ts: str) -> None:
    """The message stands in the channel: also true if the claim has meanwhile ended."""
    posted = (
        sa.update(OutboxMessage)
        .where(OutboxMessage.id == claim.id, OutboxMessage.state != MessageState.POSTED)
        .values(
            state=MessageState.POSTED,
            posted_channel=channel,
            posted_ts=ts,
            owner=None,
            lease_until=None,
            problem=None,
        )
    )
    first = session.scalar(posted.returning(OutboxMessage.id)) is not None
    if first and not claim.direct:
        note_posted(session, claim, channel)
    told = (claim.id, *together.post(session, claim.id, channel, ts))
    if claim.announcement.kind is AnnouncementKind.IMPORT_RESULT:
        brought = sa.select(OutboxMessage.import_id).where(OutboxMessage.id == claim.id)
        session.execute(sa.update(FileImport).where(FileImport.id.in_(brought)).values(refused=None))
    if not claim.direct:
        for message_id in told:
            settle_delivered(session, message_id, claim.organisation_id, database_now(session))
    if not claim.addressed:
        session.execute(
            sa.update(Organisation)
            .where(Organisation.id == claim.organisation_id, Organisation.channel_problem.is_not(None))
            .values(channel_problem=None)
        )


def record_not_posted(
    session: Session,
    claim: Claim,
    code: str,
    delay: timedelta,
    *,
    dead: bool,
    thread_lost: bool = False,
    aside: bool = False,
) -> None:
    """It certainly wasn't posted: due again after ``delay``, wherever announcements go by then; or dead.

    With ``thread_lost`` it is to stand in the channel from now on. With ``aside`` others may overtake it.
    """
    now = database_now(session)
    ours = session.execute(
        sa.update(OutboxMessage)
        .where(is_claimed(claim))
        .values(
            state=MessageState.DEAD if dead else MessageState.WAITING,
            may_be_posted=False,
            attempted_at=None,
            problem=code,
            owner=None,
            lease_until=None,
            next_attempt_at=now + delay,
            stands_aside=aside,
            **({"follows_id": None} if thread_lost else {}),
        )
        .returning(OutboxMessage.id)
    ).scalar_one_or_none()
    if ours is not None:
        together.release(session, claim.id, now if dead else now + delay)
    if dead and ours is not None:
        open_undelivered(session, claim.id, now)


def record_doubt(session: Session, claim: Claim, margin: timedelta) -> None:
    """It may have been posted, or may still be: look again when the margin is over."""
    session.execute(
        sa.update(OutboxMessage)
        .where(is_claimed(claim))
        .values(
            state=MessageState.WAITING,
            owner=None,
            lease_until=None,
            next_attempt_at=database_now(session) + margin,
        )
    )


def record_unknown(session: Session, claim: Claim, code: str) -> None:
    """Nobody can know whether it was posted: people are shown it instead of a second message."""
    ours = session.execute(
        sa.update(OutboxMessage)
        .where(is_claimed(claim))
        .values(state=MessageState.UNKNOWN, owner=None, lease_until=None, problem=code)
        .returning(OutboxMessage.id)
    ).scalar_one_or_none()
    if ours is not None:
        for message_id in (claim.id, *together.doubt(session, claim.id, code)):
            open_undelivered(session, message_id, database_now(session))


def is_claimed(claim: Claim) -> sa.ColumnElement[bool]:
    return sa.and_(
        OutboxMessage.id == claim.id,
        OutboxMessage.state == MessageState.SENDING,
        OutboxMessage.owner == claim.lease.owner,
        OutboxMessage.lease_until == claim.until,
    )
