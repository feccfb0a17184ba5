"""What the Home tab tells: how many links wait and were paid, which ones, and whether anything is stuck."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions import listing
from domain.invoices import invoices
from domain.models import Invoice, Ledger, Link, Organisation, OutboxMessage
from domain.organisations import organisations
from domain.overview.summaries import HomeSummary
from domain.scope import Scope
from domain.states import OPEN, STUCK, LinkStatus, MessageState
from domain.summaries import InvoiceSummary, Pause, StripeState

SHOWN = 10


def get_home(session: Session, scope: Scope) -> HomeSummary:
    organisation = session.get_one(Organisation, scope.organisation_id)
    lost = organisation.channel is None or organisation.channel_problem is not None
    return HomeSummary(
        organisation=organisations.summarise(organisation),
        stripe=get_stripe_state(session, scope),
        pending=_count(session, scope, LinkStatus.PENDING_PAYMENT),
        paid=_count(session, scope, LinkStatus.PAID),
        waiting=_latest(session, scope, LinkStatus.PENDING_PAYMENT),
        lately_paid=_latest(session, scope, LinkStatus.PAID),
        undelivered=_messages(session, scope, OPEN) if lost else 0,
        dead=_messages(session, scope, STUCK),
        dead_because=_problems(session, scope),
        exceptions=listing.count_open(session, scope),
    )


def get_stripe_state(session: Session, scope: Scope) -> StripeState:
    ledger = session.get_one(Ledger, scope.ledger_id)
    paused = None if ledger.pause_reason is None else Pause(ledger.pause_reason, ledger.pause_permission)
    return StripeState(ledger.livemode, ledger.last_checked_at, paused)


def _of_status(scope: Scope, status: LinkStatus) -> sa.ColumnElement[bool]:
    return sa.and_(
        Link.organisation_id == scope.organisation_id,
        Link.ledger_id == scope.ledger_id,
        Link.status == status,
    )


def _count(session: Session, scope: Scope, status: LinkStatus) -> int:
    counted = sa.select(sa.func.count()).where(_of_status(scope, status))
    return session.scalar(counted.select_from(Link)) or 0


def _latest(session: Session, scope: Scope, status: LinkStatus) -> tuple[InvoiceSummary, ...]:
    """The longest waiting first, the latest paid first."""
    order = Link.changed_at if status is LinkStatus.PENDING_PAYMENT else Link.changed_at.desc()
    rows = session.execute(
        sa.select(Invoice, Link)
        .join(Link, Link.invoice_id == Invoice.id)
        .where(_of_status(scope, status))
        .order_by(order)
        .limit(SHOWN)
    )
    return tuple(invoices.summarise(invoice, link) for invoice, link in rows)


def _problems(session: Session, scope: Scope) -> tuple[str, ...]:
    latest = sa.func.max(OutboxMessage.id).label("latest")
    found = session.execute(
        sa.select(OutboxMessage.problem, latest)
        .where(OutboxMessage.organisation_id == scope.organisation_id, OutboxMessage.state.in_(STUCK))
        .where(OutboxMessage.destination == "", OutboxMessage.problem.is_not(None))
        .group_by(OutboxMessage.problem)
        .order_by(latest.desc())
        .limit(3)
    )
    return tuple(str(problem) for problem, _ in found)


def _messages(session: Session, scope: Scope, states: tuple[MessageState, ...]) -> int:
    counted = sa.select(sa.func.count()).select_from(OutboxMessage)
    return (
        session.scalar(
            counted.where(
                OutboxMessage.organisation_id == scope.organisation_id,
                OutboxMessage.state.in_(states),
                OutboxMessage.destination == "",
            )
        )
        or 0
    )
