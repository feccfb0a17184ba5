"""What the Home tab tells: how many links wait and were paid, which ones, and whether anything is stuck."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.invoices import invoices
from domain.models import Invoice, Ledger, Link, Organisation, OutboxMessage
from domain.organisations import organisations
from domain.summaries import HomeSummary, InvoiceSummary, LinkStatus, StripeState

SHOWN = 10


def get_home(session: Session, team_id: str, ledger_id: int) -> HomeSummary:
    organisation = invoices.get_organisation(session, team_id)
    open_states = ["waiting", "sending"]
    lost = organisation.channel is None or organisation.channel_problem is not None
    return HomeSummary(
        organisation=organisations.summarise(organisation),
        stripe=get_stripe_state(session, ledger_id),
        pending=_count(session, organisation, ledger_id, LinkStatus.PENDING_PAYMENT),
        paid=_count(session, organisation, ledger_id, LinkStatus.PAID),
        waiting=_latest(session, organisation, ledger_id, LinkStatus.PENDING_PAYMENT),
        lately_paid=_latest(session, organisation, ledger_id, LinkStatus.PAID),
        undelivered=_messages(session, organisation, open_states) if lost else 0,
        dead=_messages(session, organisation, ["dead", "unknown"]),
    )


def get_stripe_state(session: Session, ledger_id: int) -> StripeState:
    ledger = session.get_one(Ledger, ledger_id)
    return StripeState(ledger.livemode, ledger.last_checked_at, ledger.paused_because)


def _of_status(organisation: Organisation, ledger_id: int, status: LinkStatus) -> sa.ColumnElement[bool]:
    return sa.and_(
        Link.organisation_id == organisation.id, Link.ledger_id == ledger_id, Link.status == status.value
    )


def _count(session: Session, organisation: Organisation, ledger_id: int, status: LinkStatus) -> int:
    counted = sa.select(sa.func.count()).where(_of_status(organisation, ledger_id, status))
    return session.scalar(counted.select_from(Link)) or 0


def _latest(
    session: Session, organisation: Organisation, ledger_id: int, status: LinkStatus
) -> tuple[InvoiceSummary, ...]:
    """The longest waiting first, the latest paid first."""
    order = Link.changed_at if status is LinkStatus.PENDING_PAYMENT else Link.changed_at.desc()
    rows = session.execute(
        sa.select(Invoice, Link)
        .join(Link, Link.invoice_id == Invoice.id)
        .where(_of_status(organisation, ledger_id, status))
        .order_by(order)
        .limit(SHOWN)
    )
    return tuple(invoices.summarise(invoice, link) for invoice, link in rows)


def _messages(session: Session, organisation: Organisation, states: list[str]) -> int:
    counted = sa.select(sa.func.count()).select_from(OutboxMessage)
    return (
        session.scalar(
            counted.where(
                OutboxMessage.organisation_id == organisation.id,
                OutboxMessage.state.in_(states),
                OutboxMessage.destination == "",
            )
        )
        or 0
    )
