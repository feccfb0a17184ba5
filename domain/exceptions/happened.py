"""What programs are told of exceptions: that there is one, and how it ended."""

from sqlalchemy.orm import Session

from domain.feed import recording as feed
from domain.invoices import changing
from domain.models import PaymentException
from domain.money import Money
from domain.states import FeedKind


def note_opened(session: Session, exception: PaymentException) -> None:
    said: feed.Facts = {
        "amount": feed.money(Money(exception.amount, exception.currency) if exception.currency else None),
        "stripe_object": exception.stripe_object,
        "due_by": feed.instant(exception.due_by),
    }
    _note(session, FeedKind.EXCEPTION_OPENED, exception, said)


def note_resolved(session: Session, exception: PaymentException) -> None:
    _note(
        session,
        FeedKind.EXCEPTION_RESOLVED,
        exception,
        {"by": exception.resolved_by, "reason": exception.resolution},
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
        changing.mark_changed(session, exception.invoice_id)
