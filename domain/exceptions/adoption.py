"""Taking up what the version before wrote of exceptions: it knew neither whose they are nor that they end."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions.resolving import plain_again
from domain.models import Invoice, Link, Payment, PaymentException
from domain.states import Settlement
from domain.summaries import PAYLINK

AT_ONCE = 200
TOLD_LONG_AGO = timedelta(days=90)


def adopt_older(session: Session, now: datetime) -> int:
    """Write down whose they are and what they are about, for some of them; how many.

    What was told more than 90 days ago counts as dealt with: nobody could say so then.
    """
    found = session.execute(
        sa.select(PaymentException, Link, Invoice)
        .join(Link, Link.id == PaymentException.link_id)
        .join(Invoice, Invoice.id == Link.invoice_id)
        .where(PaymentException.organisation_id.is_(None), PaymentException.resolved_at.is_(None))
        .order_by(PaymentException.id)
        .limit(AT_ONCE)
        .with_for_update(of=[PaymentException, Link], skip_locked=True)
    ).all()
    for exception, link, invoice in found:
        exception.organisation_id = link.organisation_id
        exception.invoice_id, exception.invoice_number = invoice.id, invoice.number
        exception.payment_id = _payment_of(session, exception)
        if exception.seen_at < now - TOLD_LONG_AGO:
            exception.resolved_at, exception.resolved_by = now, PAYLINK
            exception.resolution = Settlement.BEFORE_UPGRADE.value
    session.flush()
    for link_id in {link.id for exception, link, _ in found if exception.resolved_at is not None}:
        plain_again(session, link_id)
    return len(found)


def _payment_of(session: Session, exception: PaymentException) -> int | None:
    """Its key ends with the session's id where a payment is what doesn't fit; else it is about the one that counts."""
    of_link = sa.select(Payment.id).where(Payment.link_id == exception.link_id)
    _, _, session_id = exception.key.partition(":")
    by_session = session.scalar(of_link.where(Payment.session_id == session_id))
    return by_session or session.scalar(of_link.where(Payment.verdict == "paid"))
