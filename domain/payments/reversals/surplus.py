"""A payment that was too much, or of another sum: what is to be done about it ends when its money is gone.

All of it was refunded, or lost by a dispute; money that an appeal brings back is to be dealt with again.
"""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions.facts import read_facts, write_facts
from domain.exceptions.resolving import end, settle_all
from domain.models import Link, Payment, PaymentException
from domain.money import Money
from domain.payments.recording import has_gone_back, record_exception
from domain.payments.reversals import told
from domain.payments.reversals.reversals import ReversalFacts
from domain.payments.stripe_links.states import end_by_other_payment
from domain.states import ExceptionKind, Settlement, Verdict
from domain.summaries import STRIPE

SURPLUS = frozenset({Verdict.SECOND_PAYMENT, Verdict.AMOUNT_DIFFERS, Verdict.CURRENCY_DIFFERS})
_TOLD = (ExceptionKind.SECOND_PAYMENT, ExceptionKind.AMOUNT_DIFFERS, ExceptionKind.CURRENCY_DIFFERS)
_REFUNDS = (ExceptionKind.REFUNDED, ExceptionKind.REFUND_FAILED)


def settle_refunded(
    session: Session, link: Link, payment: Payment, facts: ReversalFacts, now: datetime
) -> None:
    """All of it is refunded: nothing is left to do about it. The caller has locked the link."""
    if not settle_all(session, (*_TOLD, *_REFUNDS), Settlement.REFUNDED, now, payment_id=payment.id):
        first = told.find_surplus(session, payment)
        if first is not None:
            end(session, first, Settlement.REFUNDED, now, of=facts.stripe_id)
    end_by_other_payment(session, link, now)


def settle_lost(session: Session, link: Link, payment: Payment, facts: ReversalFacts, now: datetime) -> None:
    """A dispute about it is lost: if it was about all of it, nothing is left to be refunded. The caller has locked the link."""
    if payment.verdict in SURPLUS and facts.money == Money(payment.amount, payment.currency):
        settle_all(session, _TOLD, Settlement.DISPUTE_LOST, now, payment_id=payment.id)
        end_by_other_payment(session, link, now)


def find_second(session: Session, link: Link) -> Money | None:
    """A second payment that is still somebody's task."""
    second = _second(session, link)
    return None if second is None else Money(second.amount, second.currency)


def note_alone(session: Session, link: Link) -> None:
    """Let what is to be done about a second payment follow what became of the one that counts. The caller has locked the link."""
    second = _second(session, link)
    if second is not None:
        facts = replace(read_facts(second.facts), alone=has_gone_back(link))
        second.facts = write_facts(facts)


def _second(session: Session, link: Link) -> PaymentException | None:
    found = sa.select(PaymentException).where(
        PaymentException.link_id == link.id,
        PaymentException.kind == ExceptionKind.SECOND_PAYMENT,
        PaymentException.resolved_at.is_(None),
    )
    return session.scalar(found.order_by(PaymentException.id).limit(1))


def reopen(session: Session, link: Link, payment: Payment, now: datetime) -> tuple[str, ...]:
    """A dispute has ended well: what ended with its loss is to be dealt with again. The caller has locked the link."""
    first = told.find_surplus(session, payment)
    lost = sa.select(PaymentException.id).where(
        PaymentException.id == first,
        PaymentException.resolved_by == STRIPE,
        PaymentException.resolution == Settlement.DISPUTE_LOST.value,
    )
    if first is None or session.scalar(lost) is None:
        return ()
    kind = ExceptionKind(payment.verdict.value)
    record_exception(
        session,
        link,
        kind,
        key=f"{payment.verdict}:{payment.session_id}:{first}",
        stripe_object=payment.payment_intent or payment.session_id,
        amount=payment.amount,
        currency=payment.currency,
        payment_id=payment.id,
        now=now,
    )
    return (kind.value,)
