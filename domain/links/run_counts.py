"""Bulk runs in numbers: the last ones of a person, and those that left somebody without a link."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import BulkRun, BulkRunItem, Link
from domain.scope import Scope
from domain.states import LinkState, Outcome
from domain.summaries import Actor

# Of so many runs it is looked whether something failed: more than anybody makes in a week.
MOST = 200


@dataclass(frozen=True)
class RunSummary:
    """A bulk run, in numbers."""

    id: int
    requested_at: datetime
    invoices: int
    created: int
    failed: int
    """Of list_failed: that still have no link."""
    final: bool


def list_last(session: Session, scope: Scope, actor: Actor, limit: int) -> tuple[RunSummary, ...]:
    """The person's last ones, the latest first."""
    own = sa.and_(_of(scope), BulkRun.requested_by == actor.user_id)
    ids = session.scalars(sa.select(BulkRun.id).where(own).order_by(BulkRun.id.desc()).limit(limit))
    return _summaries(session, list(ids), BulkRunItem.outcome == Outcome.FAILED)


def list_failed(session: Session, scope: Scope, since: datetime, limit: int) -> tuple[RunSummary, ...]:
    """Those since then of which something failed that has no link yet, the latest first; whoever asked for them."""
    lately = sa.and_(_of(scope), BulkRun.requested_at >= since)
    ids = session.scalars(sa.select(BulkRun.id).where(lately).order_by(BulkRun.id.desc()).limit(MOST))
    still = sa.and_(BulkRunItem.outcome == Outcome.FAILED, Link.state == LinkState.REFUSED)
    found = _summaries(session, list(ids), still)
    # An invoice that failed again is told of by the later run.
    return tuple(run for run in found if run.failed)[:limit]


def _of(scope: Scope) -> sa.ColumnElement[bool]:
    return sa.and_(BulkRun.organisation_id == scope.organisation_id, BulkRun.ledger_id == scope.ledger_id)


def _summaries(session: Session, ids: list[int], failed: sa.ColumnElement[bool]) -> tuple[RunSummary, ...]:
    if not ids:
        return ()

    def count(which: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.count().filter(which)

    rows = session.execute(
        sa.select(
            BulkRun.id,
            BulkRun.requested_at,
            sa.func.count(),
            count(BulkRunItem.outcome == Outcome.CREATED),
            count(failed),
            BulkRun.finished_at.is_not(None),
        )
        .join(BulkRunItem, BulkRunItem.run_id == BulkRun.id)
        .outerjoin(Link, Link.id == BulkRunItem.link_id)
        .where(BulkRun.id.in_(ids))
        .group_by(BulkRun.id, BulkRun.requested_at, BulkRun.finished_at)
        .order_by(BulkRun.id.desc())
    )
    return tuple(RunSummary(*row) for row in rows)
