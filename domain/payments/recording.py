"""Recording what Stripe says was paid: one function, whoever saw it (webhook, poll or sweep).

Paid means all of: status complete, payment status paid, and link, amount, currency and mode as ours. Everything else
that completes is kept as an exception that people see; nothing is dropped and nothing is silently Paid.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.exceptions.opening import Opening, open_once
from domain.exceptions.resolving import settle_all
from domain.feed import recording as feed
from domain.invoices.list_position import place
from domain.invoices.locking import lock_link
from domain.models import Invoice, Ledger, Link, Payment
from domain.money import Money
from domain.outbox import enqueuing
from domain.payments.stripe_links.states import end_by_other_payment, end_by_payment
from domain.states import (
    AnnouncementKind,
    Badge,
    ExceptionKind,
    FeedKind,
    LinkStatus,
    Settlement,
    Source,
    Verdict,
)
from domain.stripe.client import amount_of, id_of, moment
from domain.stripe.ledgers import is_current
from domain.summaries import STRIPE, ExceptionFacts

_GONE = frozenset({Badge.REFUNDED.value, Badge.DISPUTE_LOST.value})


@dataclass(frozen=True)
class SessionFacts:
    """What a Checkout Session says. ``amount`` in the currency's smallest unit; ``currency`` in capitals."""

    session_id: str
    stripe_link_id: str | None
    reference: str | None
    complete: bool
    expired: bool
    paid: bool
    amount: int
    currency: str
    livemode: bool
    payment_intent: str | None
    opened_at: datetime


def read_session(session: dict[str, Any]) -> SessionFacts:
    """Read Stripe's object. Raises ValueError or KeyError for anything that is no Checkout Session."""
    session_id, amount = id_of(session.get("id")), session.get("amount_total")
    if session_id is None:
        raise ValueError("id")
    metadata = session.get("metadata")
    return SessionFacts(
        session_id=session_id,
        stripe_link_id=id_of(session.get("payment_link")),
        reference=id_of(metadata.get("paylink_reference")) if isinstance(metadata, dict) else None,
        complete=session.get("status") == "complete",
        expired=session.get("status") == "expired",
        paid=session.get("payment_status") == "paid",
        amount=0 if amount is None else amount_of(amount),
        currency=currency_of(session),
        livemode=session.get("livemode") is True,
        payment_intent=id_of(session.get("payment_intent")),
        opened_at=moment(session["created"]),
    )


def currency_of(found: dict[str, Any]) -> str:
    """In capitals; empty if there is none. Raises ValueError for what can't be one."""
    currency = found.get("currency") or ""
    if not isinstance(currency, str) or not re.fullmatch("([A-Za-z]{3})?", currency):
        raise ValueError("currency")
    return currency.upper()


def is_ours(session: Session, facts: SessionFacts, ledger_id: int) -> bool:
    """Whether it is a session of one of our links, in our mode."""
    ours = sa.select(Link.id).where(Link.ledger_id == ledger_id, Link.stripe_id == facts.stripe_link_id)
    livemode = session.scalar(sa.select(Ledger.livemode).where(Ledger.id == ledger_id))
    return livemode == facts.livemode and bool(session.scalar(sa.select(ours.exists())))


def record_payment(
    session: Session,
    facts: SessionFacts,
    ledger_id: int,
    paid_at: datetime | None,
    now: datetime,
    source: Source = Source.STRIPE_LIST,
) -> Verdict | None:
    """Record a completed session of one of our links, once; return the verdict if this call recorded it.

    None when it isn't complete, isn't ours, is of the other mode, or was recorded already. ``paid_at`` is when its event
    came about; without it the session's opening stands for it, until an event of it is seen. ``source``: how it was learnt.
    """
    if not facts.complete or facts.stripe_link_id is None:
        return None
    if session.scalar(sa.select(Ledger.livemode).where(Ledger.id == ledger_id)) != facts.livemode:
        return None
    link = lock_link(session, Link.ledger_id == ledger_id, Link.stripe_id == facts.stripe_link_id)
    if link is None:
        return None
    # With the link locked, whoever sees the same session at the same moment waits here and then finds this row.
    payment = session.scalar(
        sa.select(Payment).where(Payment.ledger_id == ledger_id, Payment.session_id == facts.session_id)
    )
    if payment is not None and not (payment.verdict is Verdict.COMPLETED_UNPAID and facts.paid):
        if paid_at is not None and payment.paid_at == facts.opened_at < paid_at:
            _date(link, payment, paid_at)
        return None
    verdict = _verdict(session, link, facts)
    if payment is not None:
        settle_all(session, [ExceptionKind.COMPLETED_UNPAID], Settlement.PAID, now, payment_id=payment.id)
    if payment is None:
        payment = Payment(link_id=link.id, ledger_id=ledger_id, session_id=facts.session_id, seen_at=now)
        session.add(payment)
    payment.payment_intent, payment.verdict = facts.payment_intent, verdict
    payment.amount, payment.currency = facts.amount, facts.currency
    payment.paid_at = paid_at or facts.opened_at
    session.flush()
    number = session.scalar(sa.select(Invoice.number).where(Invoice.id == link.invoice_id)) or ""
    _audit(session, link, facts, verdict, number, source, now)
    if verdict is Verdict.PAID:
        _mark_paid(session, link, payment, number, now)
    else:
        record_exception(
            session,
            link,
            ExceptionKind(verdict.value),
            key=f"{verdict}:{facts.session_id}",
            stripe_object=facts.payment_intent or facts.session_id,
            amount=facts.amount,
            currency=facts.currency,
            payment_id=payment.id,
            now=now,
        )
        end_by_other_payment(session, link, now)
    return verdict


def _audit(
    session: Session,
    link: Link,
    facts: SessionFacts,
    verdict: Verdict,
    number: str,
    source: Source,
    now: datetime,
) -> None:
    audit.record(
        session,
        audit.Deed.PAYMENT_RECORDED,
        f"{facts.payment_intent or facts.session_id} {verdict}",
        by=STRIPE,
        source=source,
        now=now,
        organisation_id=link.organisation_id,
        invoice=audit.OfInvoice(link.invoice_id, number),
        after=str(Money(facts.amount, facts.currency)) if facts.currency else None,
    )


def _date(link: Link, payment: Payment, paid_at: datetime) -> None:
    payment.paid_at = paid_at
    if payment.verdict is Verdict.PAID:
        link.paid_at = paid_at


def _verdict(session: Session, link: Link, facts: SessionFacts) -> Verdict:
    if not facts.paid:
        return Verdict.COMPLETED_UNPAID
    if link.status is LinkStatus.PAID:
        return Verdict.SECOND_PAYMENT
    if facts.currency != link.currency:
        return Verdict.CURRENCY_DIFFERS
    return Verdict.PAID if facts.amount == link.amount else Verdict.AMOUNT_DIFFERS


def _mark_paid(session: Session, link: Link, payment: Payment, number: str, now: datetime) -> None:
    link.status, link.paid_at, link.changed_at = LinkStatus.PAID, payment.paid_at, now
    link.amount_received, link.stripe_payment = payment.amount, payment.payment_intent
    if is_current(session, link.organisation_id, link.ledger_id):
        place(session.get_one(Invoice, link.invoice_id, populate_existing=True), link)
    feed.record(
        session,
        FeedKind.PAID,
        str(payment.id),
        organisation_id=link.organisation_id,
        ledger_id=link.ledger_id,
        number=number,
        facts={
            "amount": feed.money(Money(payment.amount, payment.currency)),
            "paid_at": feed.instant(payment.paid_at),
            "stripe_payment": payment.payment_intent,
        },
    )
    end_by_payment(session, link, now)
    enqueuing.enqueue(
        session,
        AnnouncementKind.PAID,
        f"paid:{payment.id}",
        organisation_id=link.organisation_id,
        now=now,
        payment_id=payment.id,
    )


def record_exception(
    session: Session,
    link: Link,
    kind: ExceptionKind,
    *,
    key: str,
    stripe_object: str,
    amount: int,
    currency: str,
    payment_id: int,
    now: datetime,
) -> bool:
    """Keep something that people must look at, and tell them, once for each ``key``. The caller has locked the link."""
    opening = Opening(
        kind,
        key,
        link.ledger_id,
        Money(amount, currency) if currency else None,
        link=link,
        payment_id=payment_id,
        stripe_object=stripe_object,
        facts=ExceptionFacts(
            expected=Money(link.amount, link.currency),
            alone=kind is ExceptionKind.SECOND_PAYMENT and has_gone_back(link),
        ),
    )
    return open_once(session, opening, now) is not None


def has_gone_back(link: Link) -> bool:
    """Whether the money of the payment that counts has gone back to the buyer, by all that its badges say."""
    return not _GONE.isdisjoint(link.badges.split(","))
