"""Recording refunds and disputes: each is kept with the status that Stripe gives it, follows it, and is told once for each.

They belong to one payment. Those of the payment that made the invoice Paid are its badges; a payment that was too much,
or of another sum, is settled when all of it is refunded.
"""

from collections.abc import Set
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import insert_into
from domain.exceptions.facts import read_facts
from domain.exceptions.opening import Opening, open_once
from domain.exceptions.resolving import end, settle, settle_all
from domain.invoices.badges import show_badges
from domain.invoices.locking import lock_link, mark_changed
from domain.models import Link, Payment, PaymentException, Reversal
from domain.money import Money
from domain.payments.reversals import happened, surplus, told
from domain.payments.reversals.reversals import (
    APPEALED,
    INQUIRY,
    LOST,
    REFUND_ENDED,
    REFUNDED,
    ReversalFacts,
    ReversalKind,
    badges_of,
    goes_back,
    refunded_in_all,
)
from domain.states import Badge, ExceptionKind, Settlement, Source, Verdict
from domain.summaries import ExceptionFacts

ENDS = {
    "won": Settlement.DISPUTE_WON,
    "warning_closed": Settlement.DISPUTE_CLOSED,
    "prevented": Settlement.DISPUTE_PREVENTED,
}


class OlderAnswer(Exception):
    """Stripe's answer is from before what is known: perhaps it was read too soon. Ask again."""


def record_reversal(
    session: Session,
    facts: ReversalFacts,
    ledger_id: int,
    now: datetime,
    *,
    sure: bool,
    source: Source = Source.STRIPE_LIST,
) -> tuple[str, ...] | None:
    """Bring a refund or dispute up to what Stripe says; the exceptions that this opened. None if its payment isn't known.

    Raises OlderAnswer when the status would go back, unless it is ``sure`` that Stripe says so by now.
    """
    payment = session.scalar(
        sa.select(Payment)
        .where(Payment.ledger_id == ledger_id, Payment.payment_intent == facts.payment_intent)
        .order_by(Payment.id)
    )
    if payment is None:
        return None
    # With the link locked, whoever sees the same at the same moment waits here.
    link = lock_link(session, Link.id == payment.link_id)
    assert link is not None
    known = session.scalar(
        sa.select(Reversal)
        .where(Reversal.ledger_id == ledger_id, Reversal.stripe_id == facts.stripe_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    before = None if known is None else known.status
    if before is not None and not sure and goes_back(facts.kind, before, facts.status):
        raise OlderAnswer
    row = _keep(session, facts, payment, known, now)
    if known is None:
        told.take_over(session, link, payment, row)
    if payment.verdict == Verdict.PAID:
        show_reversals(session, link, payment)
    if before == facts.status:
        _move_deadline(session, row)
        return ()
    so_far = refunded_in_all(Money(payment.amount, payment.currency), _of(session, payment))
    happened.note(session, link, payment, row, facts, so_far, source, now)
    if facts.kind is ReversalKind.REFUND:
        return _tell_refund(session, link, payment, row, facts, now)
    return _tell_dispute(session, link, payment, row, facts, now, before=before)


def recorded_intents(session: Session, ledger_id: int, intents: Set[str]) -> set[str | None]:
    """Which of these payment intents are of payments that are recorded."""
    return set(
        session.scalars(
            sa.select(Payment.payment_intent).where(
                Payment.ledger_id == ledger_id, Payment.payment_intent.in_(intents)
            )
        )
    )


def _keep(
    session: Session, facts: ReversalFacts, payment: Payment, known: Reversal | None, now: datetime
) -> Reversal:
    values = {
        "status": facts.status,
        "amount": facts.money.amount,
        "currency": facts.money.currency,
        "reason": facts.reason or None,
        "due_by": facts.due_by,
        "submitted": facts.submitted,
        "changed_at": now,
    }
    if known is not None:
        for name, value in values.items():
            setattr(known, name, value)
        session.flush()
        return known
    reversal_id = session.execute(
        insert_into(session, Reversal)
        .values(
            ledger_id=payment.ledger_id,
            payment_id=payment.id,
            stripe_id=facts.stripe_id,
            kind=facts.kind.value,
            created_at=facts.created_at,
            **values,
        )
        .returning(Reversal.id)
    ).scalar_one()
    return session.get_one(Reversal, reversal_id)


def _of(session: Session, payment: Payment) -> list[tuple[ReversalKind, str, Money]]:
    rows = session.scalars(sa.select(Reversal).where(Reversal.payment_id == payment.id))
    return [(ReversalKind(row.kind), row.status, Money(row.amount, row.currency)) for row in rows]


def show_reversals(session: Session, link: Link, payment: Payment) -> None:
    """Let the link have the badges of this payment's refunds and disputes. The caller has locked it."""
    found = badges_of(Money(payment.amount, payment.currency), _of(session, payment))
    before = link.badges
    show_badges(link, found, among=OF_A_PAYMENT)
    if link.badges != before:
        mark_changed(session, link.invoice_id)
        surplus.note_alone(session, link)
    # For processes of the version before, which know two badges.
    link.refunded = bool(found & {Badge.PARTLY_REFUNDED, Badge.REFUNDED})
    link.disputed = bool(found & {Badge.DISPUTED, Badge.INQUIRY, Badge.DISPUTE_LOST})


OF_A_PAYMENT = frozenset(
    {Badge.PARTLY_REFUNDED, Badge.REFUNDED, Badge.DISPUTED, Badge.INQUIRY, Badge.DISPUTE_LOST}
)


def _move_deadline(session: Session, row: Reversal) -> None:
    session.execute(
        sa.update(PaymentException)
        .where(PaymentException.reversal_id == row.id, PaymentException.resolved_at.is_(None))
        .where(PaymentException.kind == ExceptionKind.DISPUTED)
        .values(due_by=row.due_by)
    )


def _tell_refund(
    session: Session, link: Link, payment: Payment, row: Reversal, facts: ReversalFacts, now: datetime
) -> tuple[str, ...]:
    whole = Money(payment.amount, payment.currency)
    so_far = refunded_in_all(whole, _of(session, payment))
    counts = payment.verdict is Verdict.PAID
    besides = surplus.find_second(session, link) if counts and facts.status == REFUNDED else None
    said = ExceptionFacts(so_far=so_far, whole=whole, reason=facts.reason, besides=besides)
    if facts.status == REFUNDED:
        if payment.verdict in surplus.SURPLUS and so_far.amount >= whole.amount:
            surplus.settle_refunded(session, link, payment, facts, now)
            return ()
        _settle_failed(session, payment, facts, now)
        if told.was_told(session, facts, so_far):
            return ()
        return _open(session, ExceptionKind.REFUNDED, link, payment, row, facts, said, now)
    if facts.status in REFUND_ENDED:
        first = told.find_refund(session, row, facts)
        if first is not None:
            # Its end is told by what follows.
            settle(session, first, Settlement.REFUND_FAILED, now, tell=False)
        else:
            first = told.find_surplus(session, payment)
        return _open(
            session, ExceptionKind.REFUND_FAILED, link, payment, row, facts, said, now, follows=first
        )
    return ()


def _settle_failed(session: Session, payment: Payment, facts: ReversalFacts, now: datetime) -> None:
    """The same sum as that of a refund that failed: that one is made good."""
    failed = sa.select(PaymentException.id).where(
        PaymentException.payment_id == payment.id,
        PaymentException.kind == ExceptionKind.REFUND_FAILED,
        PaymentException.amount == facts.money.amount,
        PaymentException.currency == facts.money.currency,
        PaymentException.resolved_at.is_(None),
    )
    first = session.scalar(failed.order_by(PaymentException.id).limit(1))
    if first is not None:
        settle(session, first, Settlement.REFUND_SUCCEEDED, now)


def _tell_dispute(
    session: Session,
    link: Link,
    payment: Payment,
    row: Reversal,
    facts: ReversalFacts,
    now: datetime,
    *,
    before: str | None,
) -> tuple[str, ...]:
    """``before``: the status that was recorded; None if the first is, and what was told may tell this one already."""
    whole = Money(payment.amount, payment.currency)
    said = ExceptionFacts(whole=whole, reason=facts.reason, inquiry=facts.status in INQUIRY)
    first, lost = told.find_dispute(session, row), told.find_loss(session, row)
    last = first if lost is None else lost
    if facts.status in ENDS:
        how = ENDS[facts.status]
        open_ones = (ExceptionKind.DISPUTED, ExceptionKind.DISPUTE_LOST)
        ended = settle_all(session, open_ones, how, now, reversal_id=row.id, broadcast=True)
        known = before is None and last is not None and told.has_ended_well(session, last)
        if last is not None and not ended and not known:
            end(session, last, how, now, of=facts.stripe_id)
        return surplus.reopen(session, link, payment, now)
    # What was told before the dispute ended well counts no more: it is told, and somebody's task, anew.
    again = last if last is not None and told.has_ended_well(session, last) else None
    if facts.status == LOST:
        if first is not None:
            settle(session, first, Settlement.DISPUTE_LOST, now, tell=False)
        appealed = lost is not None and again is None and before is not None
        if lost is not None and appealed and session.get_one(PaymentException, lost).resolved_at:
            # Somebody had dealt with it before it was appealed.
            end(session, lost, Settlement.APPEAL_LOST, now, of=facts.stripe_id)
        surplus.settle_lost(session, link, payment, facts, now)
        kind = ExceptionKind.DISPUTE_LOST
        return _open(session, kind, link, payment, row, facts, said, now, follows=first or again, again=again)
    if lost is not None and again is None and facts.status in APPEALED:
        # Lost until the appeal has ended.
        return ()
    if first is not None and again is None and (facts.status in INQUIRY or not _is_inquiry(session, first)):
        # It was told already; whether an answer is due may have changed.
        _move_deadline(session, row)
        return ()
    if first is not None:
        settle(session, first, Settlement.DISPUTE_OPENED, now, tell=False)
    kind = ExceptionKind.DISPUTED
    return _open(session, kind, link, payment, row, facts, said, now, follows=first or again, again=again)


def _is_inquiry(session: Session, exception_id: int) -> bool:
    return read_facts(session.get_one(PaymentException, exception_id).facts).inquiry


def _open(
    session: Session,
    kind: ExceptionKind,
    link: Link,
    payment: Payment,
    row: Reversal,
    facts: ReversalFacts,
    said: ExceptionFacts,
    now: datetime,
    *,
    follows: int | None = None,
    again: int | None = None,
) -> tuple[str, ...]:
    """``again``: the exception that told of it before it had ended well, if one did."""
    # One of Stripe's ids with a status, and no running total: the same sum again is another fact.
    key = f"{facts.kind.value}:{facts.stripe_id}:{facts.status}"
    opening = Opening(
        kind,
        key if again is None else f"{key}:{again}",
        payment.ledger_id,
        facts.money,
        link=link,
        payment_id=payment.id,
        reversal_id=row.id,
        stripe_object=facts.stripe_id,
        facts=said,
        due_by=facts.due_by,
    )
    opened = open_once(session, opening, now, follows=follows, broadcast=follows is not None)
    return () if opened is None else (kind.value,)
