"""Details modals that people have open: which invoice each shows, for as long as it follows it."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import CLOCK_MILLISECONDS, database_now, written_once
from domain.models import Base, Invoice, OpenHome, OpenView, Organisation, milliseconds
from domain.overview.summaries import FollowedView
from domain.scope import Scope
from domain.summaries import Actor

FOLLOWED_FOR = timedelta(minutes=10)
MOST = 500
"""So many are looked at in one round; those that were opened last first."""

_VIEWS, _INVOICES, _ORGANISATIONS = (
    Base.metadata.tables[model.__tablename__] for model in (OpenView, Invoice, Organisation)
)
_FROM_NOW = ("invoice_id", "carried", "shown", "until")


def _follow(insert: Callable[[Any], Any]) -> sa.Executable:
    """Of an invoice that is the organisation's of whoever opened the view."""
    row = {
        "view_id": sa.bindparam("view", type_=sa.String),
        "organisation_id": _ORGANISATIONS.c.id,
        "user_id": sa.bindparam("person", type_=sa.String),
        "invoice_id": _INVOICES.c.id,
        "carried": sa.bindparam("carries", type_=sa.String),
        "shown": sa.bindparam("shows", type_=sa.String),
        "until": CLOCK_MILLISECONDS + milliseconds(FOLLOWED_FOR),
    }
    own = sa.and_(
        _ORGANISATIONS.c.team_id == sa.bindparam("team"),
        _INVOICES.c.id == sa.bindparam("invoice"),
        _INVOICES.c.organisation_id == _ORGANISATIONS.c.id,
    )
    added = insert(_VIEWS).from_select(list(row), sa.select(*row.values()).where(own))
    followed: sa.Executable = added.on_conflict_do_update(
        index_elements=["view_id"],
        set_={name: added.excluded[name] for name in _FROM_NOW},
        where=_VIEWS.c.organisation_id == added.excluded.organisation_id,
    )
    return followed


_FOLLOW = written_once(_follow)


def follow(session: Session, views: Iterable[FollowedView]) -> None:
    """Follow each view's invoice from now on for ten minutes; another organisation's invoice isn't followed."""
    rows = [
        {
            "view": view.view_id,
            "team": view.actor.team_id,
            "person": view.actor.user_id,
            "invoice": view.invoice_id,
            "carries": view.carried,
            "shows": view.shown,
        }
        # In one order, so that two processes never wait for each other in a circle.
        for view in sorted(views, key=lambda view: view.view_id)
    ]
    session.execute(_FOLLOW(session), rows)


def touch(session: Session, scope: Scope, view_id: str) -> None:
    """Somebody clicked in the view: it is followed for ten minutes more."""
    _update(session, scope, view_id, until=database_now(session) + FOLLOWED_FOR)


def list_teams(session: Session) -> frozenset[str]:
    """The workspaces of which at least one is followed still, or a Home is (open_homes.py)."""
    now = database_now(session)
    of_views = sa.select(OpenView.organisation_id).where(OpenView.until > now)
    of_homes = sa.select(OpenHome.organisation_id).where(OpenHome.until > now)
    found = sa.select(Organisation.team_id).where(Organisation.id.in_(sa.union(of_views, of_homes)))
    return frozenset(session.scalars(found))


def list_open(session: Session, team_id: str) -> tuple[FollowedView, ...]:
    """One organisation's that are followed still."""
    if session.scalar(sa.select(OpenView.view_id).limit(1)) is None:
        return ()
    found = session.execute(
        sa.select(OpenView)
        .join(Organisation, Organisation.id == OpenView.organisation_id)
        .where(Organisation.team_id == team_id, OpenView.until > database_now(session))
        .order_by(OpenView.until.desc())
        .limit(MOST)
    ).scalars()
    return tuple(
        FollowedView(row.view_id, Actor(team_id, row.user_id), row.invoice_id, row.carried, row.shown)
        for row in found
    )


def change(session: Session, scope: Scope, view: FollowedView, shown: str) -> bool:
    """Note that the view is about to show, or shows, something else; False if another process was first."""
    return _update(session, scope, view.view_id, OpenView.shown == view.shown, shown=shown)


def forget(session: Session, scope: Scope, view_id: str) -> None:
    """The view is closed."""
    session.execute(sa.delete(OpenView).where(*_own(scope, view_id)))


def _update(
    session: Session, scope: Scope, view_id: str, *also: sa.ColumnElement[bool], **values: object
) -> bool:
    changed = (
        sa.update(OpenView).where(*_own(scope, view_id), *also).values(**values).returning(OpenView.view_id)
    )
    return session.scalar(changed.execution_options(synchronize_session=False)) is not None


def _own(scope: Scope, view_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return OpenView.view_id == view_id, OpenView.organisation_id == scope.organisation_id
