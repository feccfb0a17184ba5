"""What programs are told of refunds and disputes: money that went back, and money that is asked back."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.audit import Deed
from domain.feed import recording as feed
from domain.models import Invoice, Link, Payment, Reversal
from domain.money import Money
from domain.payments.reversals.reversals import (
    INQUIRY,
    REFUNDED,
    STILL_DISPUTED,
    ReversalFacts,
    ReversalKind,
)
from domain.states import FeedKind, Source
from domain.summaries import STRIPE


def note(
    session: Session,
    link: Link,
    payment: Payment,
    row: Reversal,
    facts: ReversalFacts,
    so_far: Money,
    source: Source,
    now: datetime,
) -> None:
    """For the audit each state that it comes to. For programs each refund once, when it has succeeded; each dispute once, and once more if it was an inquiry before.

    ``so_far``: what of the payment has been refunded in all.
    """
    number = session.scalar(sa.select(Invoice.number).where(Invoice.id == link.invoice_id)) or ""
    is_refund = facts.kind is ReversalKind.REFUND
    audit.record(
        session,
        Deed.REFUND_RECORDED if is_refund else Deed.DISPUTE_RECORDED,
        f"{facts.stripe_id} {facts.status}",
        by=STRIPE,
        source=source,
        now=now,
        organisation_id=link.organisation_id,
        invoice=audit.OfInvoice(link.invoice_id, number),
        after=str(facts.money),
    )
    said: feed.Facts = {
        "amount": feed.money(facts.money),
        "stripe_id": facts.stripe_id,
        "stripe_payment": facts.payment_intent,
        "reason": facts.reason,
    }
    if is_refund and facts.status == REFUNDED:
        kind, what = FeedKind.REFUNDED, str(row.id)
        said |= {
            "refunded_in_all": feed.money(so_far),
            "paid": feed.money(Money(payment.amount, payment.currency)),
        }
    elif facts.kind is ReversalKind.DISPUTE and facts.status in STILL_DISPUTED:
        inquiry = facts.status in INQUIRY
        kind, what = FeedKind.DISPUTED, f"{row.id}:{'inquiry' if inquiry else 'dispute'}"
        said |= {"inquiry": inquiry, "due_by": feed.instant(facts.due_by)}
    else:
        return
    feed.record(
        session,
        kind,
        what,
        organisation_id=link.organisation_id,
        ledger_id=link.ledger_id,
        number=number,
        facts=said,
    )
