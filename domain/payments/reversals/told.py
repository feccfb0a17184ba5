"""What was told of a payment's refunds and disputes: by exceptions that follow-ups and ends belong to."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions.facts import read_facts
from domain.exceptions.opening import WITH_BADGE
from domain.models import Link, Payment, PaymentException, Reversal
from domain.money import Money
from domain.payments.reversals.reversals import ReversalFacts
from domain.states import ExceptionKind, Settlement, Verdict
from domain.summaries import STRIPE

_WELL = {
    each.value for each in (Settlement.DISPUTE_WON, Settlement.DISPUTE_CLOSED, Settlement.DISPUTE_PREVENTED)
}


def take_over(session: Session, link: Link, payment: Payment, row: Reversal) -> None:
    """What the link's organisation was told of the refund or dispute while its payment wasn't known is about the link from
    now on. The caller has locked it."""
    found = sa.select(PaymentException).where(
        PaymentException.ledger_id == row.ledger_id,
        PaymentException.stripe_object == row.stripe_id,
        PaymentException.link_id.is_(None),
    )
    for exception in session.scalars(found.order_by(PaymentException.id).with_for_update()):
        if exception.organisation_id != link.organisation_id:
            # It stays theirs, and doesn't keep this organisation from being told.
            exception.key = f"{exception.key}:of-{exception.organisation_id}"
            continue
        exception.link_id, exception.invoice_id = link.id, link.invoice_id
        exception.payment_id, exception.reversal_id = payment.id, row.id
        if exception.resolved_at is None and exception.kind not in WITH_BADGE:
            link.exception = True
    session.flush()


def find_surplus(session: Session, payment: Payment) -> int | None:
    """The exception that told of a payment that was too much, or of another sum."""
    if payment.verdict is Verdict.PAID:
        return None
    told = sa.select(PaymentException.id).where(
        PaymentException.payment_id == payment.id,
        PaymentException.kind == ExceptionKind(payment.verdict.value),
    )
    return session.scalar(told.order_by(PaymentException.id.desc()).limit(1))


def was_told(session: Session, facts: ReversalFacts, so_far: Money) -> bool:
    """The version before told of refunds by the charge's running total."""
    rows = session.execute(sa.select(PaymentException.key, PaymentException.seen_at).where(_of_charge(facts)))
    return any(seen_at >= facts.created_at and _total(key) >= so_far.amount for key, seen_at in rows)


def _of_charge(facts: ReversalFacts) -> sa.ColumnElement[bool]:
    return PaymentException.key.startswith(f"refunded:{facts.charge}:", autoescape=True)


def _total(key: str) -> int:
    total = key.rpartition(":")[2]
    return int(total) if total.isdecimal() else 0


def find_refund(session: Session, row: Reversal, facts: ReversalFacts) -> int | None:
    """The exception that told of the refund; the version before knew it by its charge."""
    told = sa.select(PaymentException.id).where(
        PaymentException.ledger_id == row.ledger_id,
        PaymentException.kind == ExceptionKind.REFUNDED,
        sa.or_(PaymentException.reversal_id == row.id, _of_charge(facts)),
    )
    return session.scalar(told.order_by(PaymentException.id.desc()).limit(1))


def find_dispute(session: Session, row: Reversal) -> int | None:
    """The latest exception that told of the dispute; the version before knew it by Stripe's id."""
    told = sa.select(PaymentException.id).where(
        PaymentException.ledger_id == row.ledger_id,
        PaymentException.kind == ExceptionKind.DISPUTED,
        sa.or_(PaymentException.reversal_id == row.id, PaymentException.key == f"disputed:{row.stripe_id}"),
    )
    return session.scalar(told.order_by(PaymentException.id.desc()).limit(1))


def find_loss(session: Session, row: Reversal) -> int | None:
    """The exception that told that the dispute was lost."""
    told = sa.select(PaymentException.id).where(
        PaymentException.reversal_id == row.id, PaymentException.kind == ExceptionKind.DISPUTE_LOST
    )
    return session.scalar(told.order_by(PaymentException.id.desc()).limit(1))


def has_ended_well(session: Session, exception_id: int) -> bool:
    """Whether the dispute that this told of was won, closed or prevented since, whoever had dealt with it before."""
    told = session.get_one(PaymentException, exception_id)
    return read_facts(told.facts).ended in _WELL or (told.resolved_by == STRIPE and told.resolution in _WELL)
