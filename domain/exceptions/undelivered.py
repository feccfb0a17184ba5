"""Messages to a channel that can't be delivered: exceptions until they are posted after all."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions.opening import Opening, open_state
from domain.exceptions.resolving import settle
from domain.invoices.locking import lock_link
from domain.models import Link, OutboxMessage, Payment, PaymentException
from domain.money import Money
from domain.outbox.enqueuing import is_person
from domain.states import STUCK, AnnouncementKind, ExceptionKind, Settlement
from domain.summaries import PAYLINK, ExceptionFacts

AT_ONCE = 200


def open_undelivered(session: Session, message_id: int, now: datetime) -> None:
    """Slack refused it for good, or nobody can know whether it was posted. It isn't told: Home and the list show it.

    Nothing for a direct message: whoever it is for sees what it tells elsewhere.
    """
    message = session.get_one(OutboxMessage, message_id)
    about = _about(session, message)
    if is_person(message.destination) or about is None:
        return
    link = None if about.link_id is None else lock_link(session, Link.id == about.link_id)
    opening = Opening(
        ExceptionKind.UNDELIVERABLE,
        _key(message_id),
        about.ledger_id,
        Money(about.amount, about.currency) if about.currency else None,
        link=link,
        organisation_id=message.organisation_id,
        number=about.invoice_number if isinstance(about, PaymentException) else None,
        facts=ExceptionFacts(message=message.kind.value, problem=message.problem or ""),
    )
    open_state(session, opening, now, tell=False)


def settle_delivered(session: Session, message_id: int, organisation_id: int, now: datetime) -> None:
    """It is posted: nothing is left to do about it."""
    found = sa.select(PaymentException.id).where(
        PaymentException.organisation_id == organisation_id,
        PaymentException.resolved_at.is_(None),
        PaymentException.kind == ExceptionKind.UNDELIVERABLE,
        PaymentException.key.startswith(f"{_key(message_id)}:", autoescape=True),
    )
    for exception_id in session.scalars(found).all():
        settle(session, exception_id, Settlement.DELIVERED, now, by=PAYLINK)


def list_unopened(session: Session) -> list[int]:
    """Messages that are stuck and never were an exception: of the version before."""
    known = sa.select(PaymentException.id).where(
        PaymentException.kind == ExceptionKind.UNDELIVERABLE,
        PaymentException.key.startswith("undeliverable:" + sa.cast(OutboxMessage.id, sa.String) + ":"),
    )
    stuck = sa.select(OutboxMessage.id).where(
        OutboxMessage.state.in_(STUCK),
        OutboxMessage.destination == "",
        OutboxMessage.kind.in_([AnnouncementKind.PAID, AnnouncementKind.EXCEPTION]),
        ~known.exists(),
    )
    return list(session.scalars(stuck.order_by(OutboxMessage.id).limit(AT_ONCE)))


def _key(message_id: int) -> str:
    return f"undeliverable:{message_id}"


def _about(session: Session, message: OutboxMessage) -> Payment | PaymentException | None:
    if message.payment_id is not None:
        return session.get_one(Payment, message.payment_id)
    if message.exception_id is not None:
        return session.get_one(PaymentException, message.exception_id)
    if message.batch is not None:
        of_batch = sa.select(PaymentException).where(PaymentException.batch == message.batch)
        return session.scalar(of_batch.order_by(PaymentException.id).limit(1))
    return None
