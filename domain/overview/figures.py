"""How much of everything there is, counted for whoever watches the bot."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from domain.models import Ledger, Link, OutboxMessage, Payment, PaymentException
from domain.payments import events
from domain.states import AnnouncementKind, ExceptionKind, LinkState, LinkStatus, MessageState, Verdict


@dataclass(frozen=True)
class Figures:
    """What the database knows; but for the outbox, about one Stripe account and mode."""

    links: dict[LinkState | LinkStatus, int]
    """Of created ones by their status, of the others by their state."""
    payments: dict[Verdict, int]
    exceptions: dict[ExceptionKind, int]
    open_exceptions: dict[ExceptionKind, int]
    """Those of them that nobody has dealt with yet."""
    outbox: dict[tuple[AnnouncementKind, MessageState], int]
    events_waiting: dict[str, int]
    """Events that tell of what Stripe doesn't show yet, by what they wait for (domain/payments/reconciling.py)."""
    last_checked_at: datetime | None
    """When Stripe was last asked for payments."""


def read(session: Session, ledger_id: int | None) -> Figures:
    """Of one ledger, or (None) of all of them together. Counts whole tables, which takes its time where they are large."""
    links = session.execute(
        sa.select(Link.state, Link.status, sa.func.count())
        .where(_of(Link.ledger_id, ledger_id))
        .group_by(Link.state, Link.status)
    )
    outbox = session.execute(
        sa.select(OutboxMessage.kind, OutboxMessage.state, sa.func.count())
        .where(OutboxMessage.kind.in_(list(AnnouncementKind)))
        .group_by(OutboxMessage.kind, OutboxMessage.state)
    )
    payments = session.execute(
        sa.select(Payment.verdict, sa.func.count())
        .where(_of(Payment.ledger_id, ledger_id))
        .group_by(Payment.verdict)
    )
    return Figures(
        links={status if state is LinkState.CREATED else state: count for state, status, count in links},
        payments={row[0]: row[1] for row in payments},
        exceptions=_exceptions(session, ledger_id),
        open_exceptions=_exceptions(session, ledger_id, PaymentException.resolved_at.is_(None)),
        outbox={(kind, state): count for kind, state, count in outbox},
        events_waiting=events.count_waiting(session, ledger_id),
        last_checked_at=session.scalar(
            sa.select(Ledger.last_checked_at)
            .where(_of(Ledger.id, ledger_id))
            .order_by(Ledger.last_checked_at.desc().nulls_last())
            .limit(1)
        ),
    )


def _of(column: InstrumentedAttribute[int], ledger_id: int | None) -> sa.ColumnElement[bool]:
    return sa.true() if ledger_id is None else column == ledger_id


def _exceptions(
    session: Session, ledger_id: int | None, *which: sa.ColumnElement[bool]
) -> dict[ExceptionKind, int]:
    # A newer version may know others.
    known = PaymentException.kind.in_(list(ExceptionKind))
    rows = session.execute(
        sa.select(PaymentException.kind, sa.func.count())
        .where(_of(PaymentException.ledger_id, ledger_id), known, *which)
        .group_by(PaymentException.kind)
    )
    return {row[0]: row[1] for row in rows}
