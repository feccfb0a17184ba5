"""Details modals that people have open: which invoice each shows, for as long as it follows it."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import database_now, insert_into
from domain.invoices import invoices
from domain.models import OpenView, Organisation
from domain.overview.summaries import FollowedView
from domain.scope import Scope
from domain.summaries import Actor

FOLLOWED_FOR = timedelta(minutes=10)
MOST = 500
"""So many are looked at in one round; those that were opened last first."""


def follow(session: Session, scope: Scope, view: FollowedView) -> None:
    """Follow the view's invoice from now on for ten minutes. Raises InvoiceNotFound for another organisation's."""
    invoices.require_own(session, scope, {view.invoice_id})
    changing = {
        "invoice_id": view.invoice_id,
        "carried": view.carried,
        "shown": view.shown,
        "until": database_now(session) + FOLLOWED_FOR,
    }
    own = {"organisation_id": scope.organisation_id, "user_id": view.actor.user_id}
    session.execute(
        insert_into(session, OpenView)
        .values(view_id=view.view_id, **own, **changing)
        .on_conflict_do_update(
            index_elements=["view_id"],
            set_=changing,
            where=OpenView.organisation_id == scope.organisation_id,
        )
    )


def touch(session: Session, scope: Scope, view_id: str) -> None:
    """Somebody clicked in the view: it is followed for ten minutes more."""
    _update(session, scope, view_id, until=database_now(session) + FOLLOWED_FOR)


def list_teams(session: Session) -> frozenset[str]:
    """The workspaces of which at least one is followed still."""
    found = sa.select(Organisation.team_id).join(OpenView, OpenView.organisation_id == Organisation.id)
    return frozenset(session.scalars(found.where(OpenView.until > database_now(session)).distinct()))


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
