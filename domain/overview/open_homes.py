"""Homes that people have open, as far as Slack tells: it says when somebody opens theirs, and never when they leave.

All times are the database's: any process may look after them.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import CLOCK_MILLISECONDS, database_now, written_once
from domain.models import Base, OpenHome, Organisation, milliseconds
from domain.overview.summaries import FollowedHome
from domain.scope import Scope
from domain.summaries import Actor

FOLLOWED_FOR = timedelta(minutes=30)
"""From the last opening."""
EVERY = timedelta(seconds=10)
"""Between two publications to one person, at least."""
MOST = 200
"""People of one workspace who are looked after at once; those who opened it last."""

_HOMES = Base.metadata.tables[OpenHome.__tablename__]
_FROM_NOW = ("shown", "not_before", "until")


def _follow(insert: Callable[[Any], Any]) -> sa.Executable:
    added = insert(_HOMES).values(
        organisation_id=sa.bindparam("organisation"),
        user_id=sa.bindparam("person"),
        shown=sa.bindparam("shows"),
        not_before=CLOCK_MILLISECONDS + milliseconds(EVERY),
        until=CLOCK_MILLISECONDS + milliseconds(FOLLOWED_FOR),
    )
    followed: sa.Executable = added.on_conflict_do_update(
        index_elements=["organisation_id", "user_id"],
        set_={name: added.excluded[name] for name in _FROM_NOW},
    )
    return followed


_FOLLOW = written_once(_follow)


def follow(session: Session, scope: Scope, user_id: str, shown: str) -> None:
    """They opened it and were shown this: it is followed for half an hour from now on."""
    given = {"organisation": scope.organisation_id, "person": user_id, "shows": shown}
    session.execute(_FOLLOW(session), given)


def list_due(session: Session, team_id: str) -> tuple[FollowedHome, ...]:
    """One workspace's, of those who may be shown something else by now."""
    now = database_now(session)
    found = session.execute(
        sa.select(OpenHome)
        .join(Organisation, Organisation.id == OpenHome.organisation_id)
        .where(Organisation.team_id == team_id, OpenHome.until > now, OpenHome.not_before <= now)
        .order_by(OpenHome.until.desc())
        .limit(MOST)
    ).scalars()
    return tuple(FollowedHome(Actor(team_id, row.user_id), row.shown) for row in found)


def take(session: Session, scope: Scope, home: FollowedHome) -> bool:
    """Whether it may be published to them now: by one process, and by none for ten seconds from then on."""
    now = database_now(session)
    taken = (
        sa.update(OpenHome)
        .where(*_own(scope, home), OpenHome.shown == home.shown, OpenHome.not_before <= now)
        .values(not_before=now + EVERY)
        .returning(OpenHome.user_id)
    )
    return session.scalar(taken.execution_options(synchronize_session=False)) is not None


def change(session: Session, scope: Scope, home: FollowedHome, shown: str) -> None:
    """It shows something else now."""
    changed = sa.update(OpenHome).where(*_own(scope, home), OpenHome.shown == home.shown).values(shown=shown)
    session.execute(changed.execution_options(synchronize_session=False))


def _own(scope: Scope, home: FollowedHome) -> tuple[sa.ColumnElement[bool], ...]:
    return OpenHome.organisation_id == scope.organisation_id, OpenHome.user_id == home.actor.user_id
