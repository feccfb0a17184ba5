"""Refunds and disputes of a payment that Paylink doesn't know: they follow the exception that told of it.

No more of such a payment is kept than that exception, so there are neither badges nor sums.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions.opening import Opening, open_once
from domain.exceptions.resolving import settle
from domain.models import Invoice, PaymentException
from domain.money import Money
from domain.payments.reversals.recording import ENDS
from domain.payments.reversals.reversals import (
    APPEALED,
    INQUIRY,
    LOST,
    REFUND_ENDED,
    ReversalFacts,
    ReversalKind,
    refunded_in_all,
)
from domain.payments.reversals.told import has_ended_well
from domain.states import ExceptionKind, Settlement
from domain.summaries import ExceptionFacts


def follow(session: Session, read: Sequence[ReversalFacts], ledger_id: int, now: datetime) -> tuple[str, ...]:
    """All refunds of one such payment, or one dispute, as Stripe tells of them; what this opened."""
    told = session.scalar(
        sa.select(PaymentException).where(
            PaymentException.ledger_id == ledger_id,
            PaymentException.kind == ExceptionKind.PAYMENT_UNKNOWN,
            PaymentException.stripe_object == read[0].payment_intent,
        )
    )
    if told is None:
        return ()
    if read[0].kind is ReversalKind.DISPUTE:
        return _follow_dispute(session, told, read[0], now)
    return _follow_refunds(session, told, read, now)


def _follow_refunds(
    session: Session, told: PaymentException, read: Sequence[ReversalFacts], now: datetime
) -> tuple[str, ...]:
    paid = Money(told.amount, told.currency)
    back = refunded_in_all(paid, [(facts.kind, facts.status, facts.money) for facts in read])
    failed = [facts for facts in read if facts.status in REFUND_ENDED]
    if back.amount >= paid.amount:
        settle(session, told.id, Settlement.REFUNDED, now)
        for facts in failed:
            _settle(session, told.ledger_id, _key(facts, facts.status), Settlement.REFUND_SUCCEEDED, now)
        return ()
    opened = [_open(session, ExceptionKind.REFUND_FAILED, told, facts, facts.status, now) for facts in failed]
    return tuple(ExceptionKind.REFUND_FAILED.value for each in opened if each)


def _follow_dispute(
    session: Session, told: PaymentException, facts: ReversalFacts, now: datetime
) -> tuple[str, ...]:
    if facts.status in APPEALED:
        return ()
    stages = ("inquiry", "dispute", LOST)
    stage = LOST if facts.status == LOST else stages[facts.status not in INQUIRY]
    ended = ENDS.get(facts.status)
    for other in stages:
        if ended is not None or other != stage:
            how = ended or (Settlement.DISPUTE_LOST if stage == LOST else Settlement.DISPUTE_OPENED)
            _settle(session, told.ledger_id, _key(facts, other), how, now, tell=ended is not None)
    if ended is not None:
        return ()
    kind = ExceptionKind.DISPUTE_LOST if stage == LOST else ExceptionKind.DISPUTED
    if _open(session, kind, told, facts, stage, now):
        return (kind.value,)
    known = _find(session, told.ledger_id, _key(facts, stage))
    session.execute(
        sa.update(PaymentException).where(PaymentException.id == known).values(due_by=facts.due_by)
    )
    return ()


def _open(
    session: Session,
    kind: ExceptionKind,
    told: PaymentException,
    facts: ReversalFacts,
    stage: str,
    now: datetime,
) -> bool:
    said = ExceptionFacts(
        whole=Money(told.amount, told.currency), reason=facts.reason, inquiry=facts.status in INQUIRY
    )
    key = _key(facts, stage)
    before = _find(session, told.ledger_id, key)
    opening = Opening(
        kind,
        # After it had ended well it is told anew.
        f"{key}:{before}" if before is not None and has_ended_well(session, before) else key,
        told.ledger_id,
        facts.money,
        organisation_id=told.organisation_id,
        invoice=None if told.invoice_id is None else session.get_one(Invoice, told.invoice_id),
        number=told.invoice_number,
        stripe_object=facts.stripe_id,
        facts=said,
        due_by=facts.due_by,
    )
    return open_once(session, opening, now, follows=told.id, broadcast=True) is not None


def _settle(
    session: Session, ledger_id: int, key: str, how: Settlement, now: datetime, *, tell: bool = True
) -> None:
    exception_id = _find(session, ledger_id, key)
    if exception_id is not None:
        settle(session, exception_id, how, now, broadcast=tell, tell=tell)


def _find(session: Session, ledger_id: int, key: str) -> int | None:
    """The latest exception that told of this, by the key that it had first."""
    told = sa.or_(PaymentException.key == key, PaymentException.key.startswith(f"{key}:", autoescape=True))
    found = sa.select(PaymentException.id).where(PaymentException.ledger_id == ledger_id, told)
    return session.scalar(found.order_by(PaymentException.id.desc()).limit(1))


def _key(facts: ReversalFacts, stage: str) -> str:
    return f"{facts.kind.value}:{facts.stripe_id}:{stage}"
