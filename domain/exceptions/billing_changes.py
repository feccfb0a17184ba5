"""What a link that waits for payment asks for isn't what its invoice says any more, whoever notices it."""

from datetime import datetime

from sqlalchemy.orm import Session

from domain.exceptions.opening import Opening, open_state
from domain.models import Invoice, Link
from domain.money import Money
from domain.reasons import BillingState
from domain.states import ExceptionKind
from domain.summaries import ExceptionFacts


def compare(session: Session, link: Link, invoice: Invoice, now: datetime) -> None:
    """Open what follows from the two, each told by itself. The caller has locked both."""
    billed = Money(invoice.amount, invoice.currency)
    if billed != Money(link.amount, link.currency):
        open_amount_changed(session, link, billed, now)
    if invoice.billing_state != BillingState.OPEN:
        open_settled_elsewhere(session, link, invoice.billing_state, now)


def open_amount_changed(
    session: Session, link: Link, billed: Money, now: datetime, *, batch: str | None = None
) -> None:
    facts = ExceptionFacts(expected=Money(link.amount, link.currency))
    _open(session, ExceptionKind.AMOUNT_CHANGED, link, billed, facts, now, batch)


def open_settled_elsewhere(
    session: Session, link: Link, state: str, now: datetime, *, batch: str | None = None
) -> None:
    asked = Money(link.amount, link.currency)
    facts = ExceptionFacts(expected=asked, state=state)
    _open(session, ExceptionKind.SETTLED_ELSEWHERE, link, asked, facts, now, batch)


def open_link_deactivated(session: Session, link: Link, now: datetime, *, used: bool = False) -> None:
    """``used``: Stripe closed it, since it sold as often as it may."""
    asked = Money(link.amount, link.currency)
    facts = ExceptionFacts(expected=asked, used=used)
    _open(session, ExceptionKind.LINK_DEACTIVATED, link, asked, facts, now, batch=None)


def _open(
    session: Session,
    kind: ExceptionKind,
    link: Link,
    amount: Money,
    facts: ExceptionFacts,
    now: datetime,
    batch: str | None,
) -> None:
    opening = Opening(
        kind,
        f"{kind}:{link.id}",
        link.ledger_id,
        amount,
        link=link,
        stripe_object=link.stripe_id or "",
        facts=facts,
        batch=batch,
    )
    open_state(session, opening, now)
