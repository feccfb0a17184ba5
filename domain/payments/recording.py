"""Recording what Stripe says was paid: one function, whoever saw it (webhook, poll or sweep).

Paid means all of: status complete, payment status paid, and link, amount, currency and mode as ours. Everything else
that completes is kept as an exception that people see; nothing is dropped and nothing is silently Paid.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.exceptions.opening import Opening, open_once
from domain.exceptions.resolving import settle_all
from domain.feed import recording as feed
from domain.invoices.list_position import place
from domain.models import Base, Invoice, Ledger, Link, Payment, PaymentException
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
from domain.stripe.ledgers.current import CURRENT
from domain.summaries import STRIPE, ExceptionFacts

_GONE = frozenset({Badge.REFUNDED.value, Badge.DISPUTE_LOST.value})

_PAYMENTS, _EXCEPTIONS = (Base.metadata.tables[model.__tablename__] for model in (Payment, PaymentException))
_LEDGER: sa.BindParameter[int] = sa.bindparam("ledger")
_IS_IT = sa.and_(Link.ledger_id == _LEDGER, Link.stripe_id == sa.bindparam("stripe_link"))
# The invoice, then its link (domain/invoices/locking.py); both are read as they are once they are locked.
_LOCK_INVOICE = (
    sa.select(Invoice)
    .join(Ledger, sa.and_(Ledger.id == _LEDGER, Ledger.livemode == sa.bindparam("livemode")))
    .where(Invoice.id == sa.select(Link.invoice_id).where(_IS_IT).scalar_subquery())
    .with_for_update(of=Invoice, key_share=True)
    .execution_options(populate_existing=True)
)
_LOCK_LINK = sa.select(Link).where(_IS_IT).with_for_update().execution_options(populate_existing=True)
_SAME_SESSION = sa.select(_PAYMENTS.c.id).where(
    _PAYMENTS.c.ledger_id == _LEDGER, _PAYMENTS.c.session_id == sa.bindparam("stripe_session")
)
_ANY_OPEN = sa.select(_EXCEPTIONS.c.id).where(
    _EXCEPTIONS.c.link_id == sa.bindparam("link"), _EXCEPTIONS.c.resolved_at.is_(None)
)
_LOOK = sa.select(_SAME_SESSION.scalar_subquery(), CURRENT.exists(), _ANY_OPEN.exists())


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
    about = {"ledger": ledger_id, "stripe_link": facts.stripe_link_id}
    invoice = session.scalar(_LOCK_INVOICE, about | {"livemode": facts.livemode})
    link = session.scalar(_LOCK_LINK, about)
    if invoice is None or link is None:
        return None
    # With the link locked, whoever sees the same session at the same moment waits here and then finds this row.
    seen = _look(session, facts, link)
    payment = None if seen.payment_id is None else session.get_one(Payment, seen.payment_id)
    if payment is not None and not (payment.verdict is Verdict.COMPLETED_UNPAID and facts.paid):
        if paid_at is not None and payment.paid_at == facts.opened_at < paid_at:
            _date(link, payment, paid_at)
        return None
    verdict = _verdict(link, facts)
    if payment is not None:
        settle_all(session, [ExceptionKind.COMPLETED_UNPAID], Settlement.PAID, now, payment_id=payment.id)
    else:
        payment = Payment(link_id=link.id, ledger_id=ledger_id, session_id=facts.session_id, seen_at=now)
        session.add(payment)
    payment.payment_intent, payment.verdict = facts.payment_intent, verdict
    payment.amount, payment.currency = facts.amount, facts.currency
    payment.paid_at = paid_at or facts.opened_at
    session.flush()
    _audit(session, link, invoice, facts, verdict, source, now)
    if verdict is Verdict.PAID:
        _mark_paid(session, link, invoice, payment, seen, now)
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


class _Seen(NamedTuple):
    """What there is already of a session whose link is locked."""

    payment_id: int | None
    is_current: bool
    """Whether the link's ledger is its organisation's current one."""
    any_open: bool
    """Whether there are open exceptions about the link."""


def _look(session: Session, facts: SessionFacts, link: Link) -> _Seen:
    about = {"ledger": link.ledger_id, "organisation": link.organisation_id, "link": link.id}
    return _Seen(*session.execute(_LOOK, about | {"stripe_session": facts.session_id}).one())


def _audit(
    session: Session,
    link: Link,
    invoice: Invoice,
    facts: SessionFacts,
    verdict: Verdict,
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
        invoice=invoice,
        after=str(Money(facts.amount, facts.currency)) if facts.currency else None,
    )


def _date(link: Link, payment: Payment, paid_at: datetime) -> None:
    payment.paid_at = paid_at
    if payment.verdict is Verdict.PAID:
        link.paid_at = paid_at


def _verdict(link: Link, facts: SessionFacts) -> Verdict:
    if not facts.paid:
        return Verdict.COMPLETED_UNPAID
    if link.status is LinkStatus.PAID:
        return Verdict.SECOND_PAYMENT
    if facts.currency != link.currency:
        return Verdict.CURRENCY_DIFFERS
    return Verdict.PAID if facts.amount == link.amount else Verdict.AMOUNT_DIFFERS


def _mark_paid(
    session: Session, link: Link, invoice: Invoice, payment: Payment, seen: _Seen, now: datetime
) -> None:
    link.status, link.paid_at, link.changed_at = LinkStatus.PAID, payment.paid_at, now
    link.amount_received, link.stripe_payment = payment.amount, payment.payment_intent
    if seen.is_current:
        place(invoice, link)
    feed.record(
        session,
        FeedKind.PAID,
        str(payment.id),
        organisation_id=link.organisation_id,
        ledger_id=link.ledger_id,
        number=invoice.number,
        facts={
            "amount": feed.money(Money(payment.amount, payment.currency)),
            "paid_at": feed.instant(payment.paid_at),
            "stripe_payment": payment.payment_intent,
        },
    )
    end_by_payment(session, link, now, any_open=seen.any_open)
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
