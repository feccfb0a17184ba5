"""Whose messages there is something to do about now: one statement for all organisations, however many have some that wait."""

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from domain.database import database_clock
from domain.messages.contents import IS_SAYABLE
from domain.messages.overtaking import waits_aside
from domain.messages.together import ARE_ANY_BEHIND
from domain.models import IS_OPEN, Organisation, OutboxMessage
from domain.states import OPEN, MessageState

_NOW = database_clock()
_LINE = (
    sa.select(OutboxMessage.organisation_id, OutboxMessage.destination).where(IS_OPEN).distinct().subquery()
)
_SPEAKER = aliased(OutboxMessage)
_FIRST = (
    sa.select(OutboxMessage.id)
    .where(IS_OPEN, IS_SAYABLE, ~waits_aside(_NOW), OutboxMessage.told_by_id.is_(None))
    .where(
        OutboxMessage.organisation_id == _LINE.c.organisation_id,
        OutboxMessage.destination == _LINE.c.destination,
    )
    .order_by(OutboxMessage.id)
    .limit(1)
    .correlate(_LINE)
    .scalar_subquery()
)
_IS_FIRST_DUE = (
    sa.select(OutboxMessage.id)
    .where(OutboxMessage.id == _FIRST, OutboxMessage.state == MessageState.WAITING)
    .where(OutboxMessage.next_attempt_at <= _NOW)
    .where(sa.or_(_LINE.c.destination != "", Organisation.channel.is_not(None)))
    .correlate(_LINE, Organisation)
    .exists()
)
_IS_ANY_LEFT = (
    sa.select(OutboxMessage.id)
    .outerjoin(_SPEAKER, _SPEAKER.id == OutboxMessage.told_by_id)
    .where(OutboxMessage.organisation_id == _LINE.c.organisation_id)
    .where(OutboxMessage.state == MessageState.SENDING)
    .where(sa.or_(OutboxMessage.lease_until < _NOW, _SPEAKER.state.not_in(OPEN)))
    .correlate(_LINE)
    .exists()
)
_DUE = (
    sa.select(_LINE.c.organisation_id, _IS_ANY_LEFT.label("any_left"))
    .join(Organisation, Organisation.id == _LINE.c.organisation_id)
    .where(sa.or_(_IS_FIRST_DUE, _IS_ANY_LEFT))
    .distinct()
)

_OF_ORGANISATION = OutboxMessage.organisation_id == sa.bindparam("organisation")
# The first open message of each destination, whoever is at it: nothing overtakes it, unless it stands aside.
_FIRST_EACH = (
    sa.select(sa.func.min(OutboxMessage.id))
    .where(IS_OPEN, _OF_ORGANISATION, IS_SAYABLE, ~waits_aside(_NOW))
    .where(OutboxMessage.told_by_id.is_(None))
    .group_by(OutboxMessage.destination)
)
FIRST_DUE = (
    sa.select(OutboxMessage, Organisation, ARE_ANY_BEHIND, _NOW)
    .join(Organisation, Organisation.id == OutboxMessage.organisation_id)
    .where(OutboxMessage.id.in_(_FIRST_EACH), OutboxMessage.state == MessageState.WAITING)
    .where(OutboxMessage.next_attempt_at <= _NOW)
    .where(sa.or_(OutboxMessage.destination != "", Organisation.channel.is_not(None)))
    .order_by(OutboxMessage.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(of=OutboxMessage, skip_locked=True)
)
"""To be claimed of an ``organisation``, ``most`` of them: each message, its organisation, whether others are behind it, and the time."""


def list_due(session: Session) -> dict[int, bool]:
    """The organisations of which a claim may find something (transactions.py), each with whether somebody died or was done without
    a word about one of its messages: of those whose channel is gone, or whose messages wait for Slack, nothing is asked until they
    are due. A claim writes, however little there is."""
    return {row.organisation_id: row.any_left for row in session.execute(_DUE)}
