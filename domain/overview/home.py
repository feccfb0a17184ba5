"""What the Home tab tells: what needs somebody, what is owed, what was paid lately, and what the reader did last."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions import listing
from domain.imports import transactions as imports
from domain.invoices import invoices
from domain.invoices.list_page import find_page
from domain.invoices.summarising import summarise
from domain.links import run_results
from domain.models import Base, Invoice, Ledger, Link, OutboxMessage
from domain.organisations import organisations
from domain.overview import steps, sums
from domain.overview.summaries import HomeSummary
from domain.scope import Scope
from domain.states import OPEN, STUCK, LinkStatus, MessageState
from domain.summaries import Actor, InvoiceSummary, Pause, StripeState

SHOWN = 5


def get_home(session: Session, scope: Scope, actor: Actor, now: datetime) -> HomeSummary:
    organisation = organisations.get_summary(session, scope.organisation_id)
    lost = organisation.channel is None or organisation.channel_problem is not None
    today = scope.today(now)
    owed = sums.read(session, scope.organisation_id, today)
    open_steps = steps.find_open(session, scope)
    return HomeSummary(
        organisation=organisation,
        stripe=get_stripe_state(session, scope),
        pending=_count(session, scope, LinkStatus.PENDING_PAYMENT) if owed is None else owed.pending.invoices,
        paid=_count(session, scope, LinkStatus.PAID) if owed is None else owed.paid,
        waiting=_waiting(session, scope),
        lately_paid=_lately_paid(session, scope),
        undelivered=_messages(session, scope, OPEN, *(() if lost else _REFUSED)),
        undelivered_because=() if lost else _problems(session, scope, OPEN),
        dead=_messages(session, scope, STUCK),
        dead_because=_problems(session, scope, STUCK),
        exceptions=listing.count_open(session, scope),
        kinds=listing.count_kinds(session, scope),
        deadlines=listing.list_due(session, scope, SHOWN),
        failed_runs=run_results.list_failed(session, scope, now - sums.LATELY, SHOWN),
        owed=owed,
        paid_lately=sums.read_received(session, scope, now),
        runs=run_results.list_last(session, scope, actor, SHOWN),
        imports=imports.list_last(session, scope, actor, SHOWN),
        rights=scope.rights,
        steps=open_steps,
        ask=() if open_steps is None else steps.whom_to_ask(session, scope.organisation_id),
        today=today,
    )


def list_homes(session: Session, readers: Mapping[Actor, Scope], now: datetime) -> dict[Actor, HomeSummary]:
    """What each of several people is shown, with what they may do: all but what they did themselves is read once."""
    first, scope = next(iter(readers.items()))
    shown = get_home(session, scope, first, now)
    return {
        actor: replace(
            shown,
            rights=own.rights,
            runs=run_results.list_last(session, scope, actor, SHOWN),
            imports=imports.list_last(session, scope, actor, SHOWN),
        )
        for actor, own in readers.items()
    }


_LEDGERS = Base.metadata.tables[Ledger.__tablename__]
STANDING = tuple(
    _LEDGERS.c[name].label(f"ledger_{name}")
    for name in ("livemode", "last_checked_at", "pause_reason", "pause_permission")
)
"""What is read of a ledger for its StripeState."""
_STANDING = sa.select(*STANDING).where(_LEDGERS.c.id == sa.bindparam("ledger"))


def get_stripe_state(session: Session, scope: Scope) -> StripeState:
    return stripe_state_of(session.execute(_STANDING, {"ledger": scope.ledger_id}).first(), scope)


def stripe_state_of(row: sa.Row[Any] | None, scope: Scope) -> StripeState:
    """Of a row with STANDING, empty if the ledger isn't there."""
    if row is None or row.ledger_livemode is None:
        return StripeState(scope.livemode, None, None, scope.connected)
    if not scope.connected:
        # Nobody asks meanwhile: what was wrong with the key before is no news.
        return StripeState(row.ledger_livemode, row.ledger_last_checked_at, None, connected=False)
    reason = row.ledger_pause_reason
    paused = None if reason is None else Pause(reason, row.ledger_pause_permission)
    return StripeState(row.ledger_livemode, row.ledger_last_checked_at, paused)


def _of_status(scope: Scope, status: LinkStatus) -> sa.ColumnElement[bool]:
    return sa.and_(
        Link.organisation_id == scope.organisation_id,
        Link.ledger_id == scope.ledger_id,
        Link.status == status,
    )


def _count(session: Session, scope: Scope, status: LinkStatus) -> int:
    counted = sa.select(sa.func.count()).where(_of_status(scope, status))
    return session.scalar(counted.select_from(Link)) or 0


def _waiting(session: Session, scope: Scope) -> tuple[InvoiceSummary, ...]:
    ids = find_page(
        session, scope.organisation_id, "", status=LinkStatus.PENDING_PAYMENT, after=None, limit=SHOWN
    )
    return tuple(invoices.list_known(session, scope, ids))


def _lately_paid(session: Session, scope: Scope) -> tuple[InvoiceSummary, ...]:
    rows = session.execute(
        sa.select(Invoice, Link)
        .join(Link, Link.invoice_id == Invoice.id)
        .where(_of_status(scope, LinkStatus.PAID))
        .order_by(Link.changed_at.desc())
        .limit(SHOWN)
    )
    return tuple(summarise(invoice, link) for invoice, link in rows)


_REFUSED = (OutboxMessage.problem.is_not(None),)
"""Of a message that waits: Slack has refused it."""


def _problems(session: Session, scope: Scope, states: tuple[MessageState, ...]) -> tuple[str, ...]:
    latest = sa.func.max(OutboxMessage.id).label("latest")
    found = session.execute(
        sa.select(OutboxMessage.problem, latest)
        .where(*_to_channel(scope, states), *_REFUSED)
        .group_by(OutboxMessage.problem)
        .order_by(latest.desc())
        .limit(3)
    )
    return tuple(str(problem) for problem, _ in found)


def _messages(
    session: Session, scope: Scope, states: tuple[MessageState, ...], *which: sa.ColumnElement[bool]
) -> int:
    counted = sa.select(sa.func.count()).select_from(OutboxMessage)
    return session.scalar(counted.where(*_to_channel(scope, states), *which)) or 0


def _to_channel(scope: Scope, states: tuple[MessageState, ...]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        OutboxMessage.organisation_id == scope.organisation_id,
        OutboxMessage.state.in_(states),
        OutboxMessage.destination == "",
    )
