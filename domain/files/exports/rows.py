"""What an export says of each invoice, its link and its payment, as values: how they are written is the format's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.invoices.badges import read_badges
from domain.models import Invoice, Link, Payment, PaymentException, Reversal
from domain.money import Money
from domain.reasons import BillingState
from domain.states import WRITTEN, ExceptionKind, LinkState, LinkStatus, Verdict

COLUMNS = (
    "number",
    "buyer_name",
    "buyer_email",
    "billing_amount",
    "currency",
    "issue_date",
    "due_date",
    "description",
    "state",
    "status",
    "payment_link_url",
    "created_at",
    "created_by",
    "paid_at",
    "amount_received",
    "stripe_payment",
    "link_amount",
    "link_currency",
    "refunded_amount",
    "badges",
    "open_exceptions",
)

Codes = tuple[str, ...]
Value = str | Money | date | datetime | Codes | None
Row = tuple[Value, ...]
"""In the order of COLUMNS; None is what there isn't. Instants are aware, in UTC."""
Found = sa.Row[*tuple[Any, ...]]


def choose(ledger_id: int | None) -> sa.Select[*tuple[Any, ...]]:
    """Invoices, each with the link that was created for it in that ledger, if there is one."""
    created = sa.and_(
        Link.invoice_id == Invoice.id, Link.ledger_id == ledger_id, Link.state == LinkState.CREATED
    )
    return sa.select(
        Invoice.id,
        Invoice.number,
        Invoice.number_key,
        Invoice.buyer_name,
        Invoice.buyer_email,
        Invoice.amount,
        Invoice.currency,
        Invoice.issue_date,
        Invoice.due_date,
        Invoice.description,
        Invoice.billing_state,
        Link.id.label("link_id"),
        Link.status.label("link_status"),
        Link.url,
        Link.created_at,
        Link.requested_by,
        Link.paid_at,
        Link.amount_received,
        Link.stripe_payment,
        Link.amount.label("link_amount"),
        Link.currency.label("link_currency"),
        Link.badges,
        Link.refunded,
        Link.disputed,
    ).outerjoin(Link, created)


def read_rows(session: Session, ledger_id: int | None, found: Sequence[Found]) -> list[Row]:
    """The rows of what ``choose`` found."""
    beside = _Beside(
        _refunded(session, [row.link_id for row in found if row.refunded]),
        _open_exceptions(session, ledger_id, [row.id for row in found]),
    )
    return [_row(row, beside) for row in found]


@dataclass(frozen=True)
class _Beside:
    """What is kept elsewhere: refunds by the link's id, and the kinds of open exceptions by the invoice's."""

    refunded: Mapping[int, int]
    exceptions: Mapping[int | None, Codes]


def _row(row: Found, beside: _Beside) -> Row:
    # A sum that was received or refunded is the link's currency's: the invoice's may be another by now.
    paid_in = row.link_currency
    return (
        row.number,
        row.buyer_name,
        row.buyer_email,
        Money(row.amount, row.currency),
        row.currency,
        row.issue_date,
        row.due_date,
        row.description,
        row.billing_state,
        WRITTEN[row.link_status or LinkStatus.NOT_CREATED],
        row.url,
        row.created_at,
        row.requested_by,
        row.paid_at,
        _money(row.amount_received, paid_in),
        row.stripe_payment,
        _money(row.link_amount, paid_in),
        paid_in,
        _money(beside.refunded.get(row.link_id), paid_in),
        _badges(row),
        beside.exceptions.get(row.id, ()),
    )


def _badges(row: Found) -> Codes:
    if not (row.badges or row.refunded or row.disputed) and row.billing_state == BillingState.OPEN:
        return ()
    found = read_badges(row.badges, refunded=row.refunded, disputed=row.disputed, state=row.billing_state)
    return tuple(badge.value for badge in found)


def _money(amount: int | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount, currency)


def _refunded(session: Session, links: Sequence[int]) -> dict[int, int]:
    """What was given back of the payment that made each of these links Paid."""
    if not links:
        return {}
    given_back = (
        sa.select(Payment.link_id, sa.func.sum(Reversal.amount))
        .join(Reversal, Reversal.payment_id == Payment.id)
        .where(Payment.link_id.in_(links), Payment.verdict == Verdict.PAID)
        .where(Reversal.kind == "refund", Reversal.status == "succeeded")
        .where(Reversal.currency == Payment.currency)
        .group_by(Payment.link_id)
    )
    return {link_id: int(amount) for link_id, amount in session.execute(given_back)}


def _open_exceptions(
    session: Session, ledger_id: int | None, invoices: Sequence[int]
) -> dict[int | None, Codes]:
    still_open = (
        sa.select(PaymentException.invoice_id, PaymentException.kind)
        .where(PaymentException.invoice_id.in_(invoices), PaymentException.ledger_id == ledger_id)
        .where(PaymentException.resolved_at.is_(None))
    )
    found: dict[int | None, set[ExceptionKind]] = {}
    for invoice_id, kind in session.execute(still_open):
        found.setdefault(invoice_id, set()).add(kind)
    return {invoice_id: _in_order(kinds) for invoice_id, kinds in found.items()}


def _in_order(kinds: Iterable[ExceptionKind]) -> Codes:
    return tuple(kind.value for kind in ExceptionKind if kind in kinds)
