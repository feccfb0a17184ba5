"""Who was welcomed, and which of Slack's events were answered: each once, whichever process comes first."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import insert_into
from domain.models import HeardEvent, Welcome
from domain.scope import Scope


def welcome(session: Session, scope: Scope, user_id: str, now: datetime) -> bool:
    """Whether the person is to be welcomed now, which is written down; False if they were."""
    made = session.execute(
        insert_into(session, Welcome)
        .values(organisation_id=scope.organisation_id, user_id=user_id, at=now)
        .on_conflict_do_nothing()
        .returning(Welcome.user_id)
    ).scalar_one_or_none()
    return made is not None


def forget_welcome(session: Session, scope: Scope, user_id: str) -> None:
    """They weren't welcomed after all: Slack certainly didn't take it."""
    session.execute(
        sa.delete(Welcome).where(Welcome.organisation_id == scope.organisation_id, Welcome.user_id == user_id)
    )


def take_event(session: Session, scope: Scope, event_id: str, now: datetime) -> bool:
    """Whether nobody took this event before: Slack sends one again when it isn't sure."""
    made = session.execute(
        insert_into(session, HeardEvent)
        .values(organisation_id=scope.organisation_id, event_id=event_id, at=now)
        .on_conflict_do_nothing()
        .returning(HeardEvent.event_id)
    ).scalar_one_or_none()
    return made is not None
