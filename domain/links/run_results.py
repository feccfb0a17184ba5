"""Bulk runs as they stand: what became of each invoice, who follows it, and in numbers the last ones and those that left
somebody without a link."""

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.errors import RunNotFound, RunOfOtherMode
from domain.models import BulkRun, BulkRunItem, Invoice, Ledger, Link, Organisation
from domain.reasons import Reason
from domain.scope import Scope
from domain.states import LinkState, Outcome
from domain.summaries import Actor, BulkItem, BulkResult

# As docs.stripe.com/error-codes names them.
_FOR_GOOD = ("amount_too_large", "amount_too_small", "invalid_currency", "invalid_unit_amount")
is_for_good: sa.ColumnElement[bool] = sa.and_(
    Link.state == LinkState.REFUSED,
    sa.or_(Link.refusal_code.in_(_FOR_GOOD), Link.refusal_code.like("parameter\\_%", escape="\\")),
    Link.amount == Invoice.amount,
    Link.currency == Invoice.currency,
)
"""Of an invoice and its link: asked again over the same amount, Stripe refuses again."""


def get(session: Session, scope: Scope, run_id: int, *, lock: bool = False) -> BulkRun:
    found = sa.select(BulkRun).where(BulkRun.id == run_id, BulkRun.organisation_id == scope.organisation_id)
    run = session.scalar(found.with_for_update() if lock else found)
    if run is None:
        raise RunNotFound(f"bulk run {run_id}")
    if session.scalar(sa.select(Ledger.livemode).where(Ledger.id == run.ledger_id)) != scope.livemode:
        raise RunOfOtherMode
    return run


def is_followed(session: Session, scope: Scope, run_id: int, view_id: str) -> bool:
    """Whether a later run is shown in that view by now."""
    later = sa.select(BulkRun.id).where(
        BulkRun.organisation_id == scope.organisation_id, BulkRun.id > run_id, BulkRun.view_id == view_id
    )
    return bool(session.scalar(sa.select(later.exists())))


def get_result(session: Session, scope: Scope, run_id: int) -> BulkResult:
    """Raises RunNotFound, RunOfOtherMode."""
    return replace(summarise(session, get(session, scope, run_id)), rights=scope.rights)


def list_unfinished(session: Session, since: datetime) -> list[tuple[Actor, int, str]]:
    """Runs begun since then that go on, with who asked and the view that shows them."""
    found = session.execute(
        sa.select(Organisation.team_id, BulkRun.requested_by, BulkRun.id, BulkRun.view_id)
        .join(Organisation, Organisation.id == BulkRun.organisation_id)
        .where(BulkRun.finished_at.is_(None), BulkRun.requested_at >= since)
    )
    return [(Actor(team, user), run_id, view_id) for team, user, run_id, view_id in found if view_id]


def summarise(session: Session, run: BulkRun) -> BulkResult:
    rows = session.execute(
        sa.select(
            BulkRunItem.invoice_id,
            BulkRunItem.outcome,
            BulkRunItem.reason,
            BulkRunItem.refusal,
            Invoice.number,
            Link.url,
            sa.func.coalesce(is_for_good, sa.false()),
        )
        .join(Invoice, Invoice.id == BulkRunItem.invoice_id)
        .outerjoin(Link, Link.id == BulkRunItem.link_id)
        .where(BulkRunItem.run_id == run.id)
        .order_by(BulkRunItem.ordinal)
    )
    return BulkResult(
        id=run.id,
        organisation_id=run.organisation_id,
        requested_by=run.requested_by,
        requested_at=run.requested_at,
        items=tuple(_summarise_item(*row) for row in rows),
        view_id=run.view_id,
    )


def _summarise_item(
    invoice_id: int,
    outcome: Outcome,
    reason: Reason | None,
    refusal: str | None,
    number: str,
    url: str | None,
    refused_for_good: bool,
) -> BulkItem:
    return BulkItem(
        invoice_id=invoice_id,
        number=number,
        outcome=outcome,
        reason=reason,
        refusal=refusal,
        url=url if outcome is Outcome.CREATED else None,
        refused_for_good=outcome is Outcome.FAILED and refused_for_good,
    )


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
