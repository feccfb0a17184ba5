"""What programs are told of exceptions: that there is one, and how it ended."""

from datetime import datetime

from sqlalchemy.orm import Session

from domain import audit
from domain.audit import Deed
from domain.feed import recording as feed
from domain.invoices import locking
from domain.models import PaymentException
from domain.money import Money
from domain.states import FeedKind, Source
from domain.summaries import OPERATOR, PAYLINK, STRIPE


def note_opened(session: Session, exception: PaymentException, now: datetime) -> None:
    said: feed.Facts = {
        "amount": feed.money(Money(exception.amount, exception.currency) if exception.currency else None),
        "stripe_object": exception.stripe_object,
        "due_by": feed.instant(exception.due_by),
    }
    _note(session, FeedKind.EXCEPTION_OPENED, exception, said)
    amount = str(Money(exception.amount, exception.currency)) if exception.currency else None
    _record(session, Deed.EXCEPTION_OPENED, exception, by=PAYLINK, now=now, after=amount)


def note_resolved(session: Session, exception: PaymentException, now: datetime) -> None:
    _note(
        session,
        FeedKind.EXCEPTION_RESOLVED,
        exception,
        {"by": exception.resolved_by, "reason": exception.resolution},
    )
    by = exception.resolved_by or PAYLINK
    settled = by in (STRIPE, PAYLINK)
    deed = Deed.EXCEPTION_SETTLED if settled else Deed.EXCEPTION_RESOLVED
    # A code; a person's words may name a buyer.
    _record(session, deed, exception, by=by, now=now, after=exception.resolution if settled else None)


def _record(
    session: Session,
    deed: Deed,
    exception: PaymentException,
    *,
    by: audit.By,
    now: datetime,
    after: str | None,
) -> None:
    known = exception.invoice_id is not None and exception.invoice_number is not None
    audit.record(
        session,
        deed,
        f"exception {exception.id} {exception.kind}",
        by=by,
        # People do it in a modal.
        source=None if by in (OPERATOR, PAYLINK, STRIPE) else Source.BUTTON,
        now=now,
        organisation_id=exception.organisation_id,
        invoice=audit.OfInvoice(exception.invoice_id or 0, exception.invoice_number or "") if known else None,
        after=after,
    )


def _note(session: Session, kind: FeedKind, exception: PaymentException, said: feed.Facts) -> None:
    if exception.organisation_id is None:
        return
    feed.record(
        session,
        kind,
        str(exception.id),
        organisation_id=exception.organisation_id,
        ledger_id=exception.ledger_id,
        number=exception.invoice_number,
        facts={"exception": exception.id, "kind": exception.kind.value, **said},
    )
    if exception.invoice_id is not None:
        locking.mark_changed(session, exception.invoice_id)
