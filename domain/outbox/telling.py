"""Who hears of exceptions: the notification channel, another channel, or people, as the organisation's administrators set it."""

from datetime import datetime
from typing import Unpack

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import OutboxMessage
from domain.organisations import settings
from domain.outbox.enqueuing import Thread, enqueue
from domain.states import AnnouncementKind

TOLD_ELSEWHERE = (AnnouncementKind.EXCEPTION, AnnouncementKind.AMOUNTS_CHANGED, AnnouncementKind.FOLLOW_UP)
"""What is told where exceptions are heard of."""
_Place = tuple[str, int | None]
"""A destination, and the message there that is followed up."""
COPY = "@"
"""Between a message's subject and the person whom a copy of it is for: the first person's has the subject alone."""
NEAR = 10_000
"""Between the ids of a message and of its copies, which one transaction wrote."""


def tell(
    session: Session,
    kind: AnnouncementKind,
    subject: str,
    *,
    organisation_id: int,
    now: datetime,
    exception_id: int | None = None,
    **thread: Unpack[Thread],
) -> bool:
    """Enqueue it for everybody who hears of exceptions, once for each; False if it was told.

    What follows up on a message goes to all who got that, wherever the next exception is told.
    """
    told = settings.get(session, organisation_id).told_of_exceptions
    followed = thread.get("follows_id")
    places: list[_Place] = [(one, None) for one in told or ("",)]
    if followed is not None:
        places = _find_followed(session, followed)
    for number, (destination, follows_id) in enumerate(places):
        thread["follows_id"] = follows_id
        added = enqueue(
            session,
            kind,
            f"{subject}{COPY}{destination}" if number else subject,
            organisation_id=organisation_id,
            now=now,
            destination=destination,
            exception_id=exception_id,
            **thread,
        )
        if not added and not number:
            return False
    return True


def _find_followed(session: Session, followed: int) -> list[_Place]:
    """Where the message stands that is followed up, and where its copies do, whoever hears of exceptions by now."""
    message = session.get_one(OutboxMessage, followed)
    copies = (
        sa.select(OutboxMessage.destination, OutboxMessage.id)
        # They were written right after it: so few rows are gone through, however many there are.
        .where(OutboxMessage.id > followed, OutboxMessage.id <= followed + NEAR)
        .where(OutboxMessage.subject.startswith(f"{message.subject}{COPY}", autoescape=True))
    )
    found = session.execute(copies.order_by(OutboxMessage.id))
    return [(message.destination, message.id), *((destination, key) for destination, key in found)]
