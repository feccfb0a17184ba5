"""What a message says, read at the moment at which it is claimed."""

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions import listing
from domain.imports.transactions import summarise
from domain.invoices import summarising
from domain.links import run_results
from domain.messages.summaries import Announcement
from domain.models import (
    Base,
    BulkRun,
    FileImport,
    Invoice,
    Ledger,
    Link,
    OutboxMessage,
    Payment,
    PaymentException,
)
from domain.money import Money
from domain.states import AnnouncementKind, ExceptionKind, FollowUp

_PAYMENTS, _LEDGERS = (Base.metadata.tables[model.__tablename__] for model in (Payment, Ledger))
_OF_PAYMENT = (
    summarising.summarised_of_links(
        _PAYMENTS.c.amount.label("received"),
        _PAYMENTS.c.currency.label("received_currency"),
        _LEDGERS.c.livemode,
    )
    .join(_PAYMENTS, _PAYMENTS.c.link_id == summarising.LINKS.c.id)
    .join(_LEDGERS, _LEDGERS.c.id == _PAYMENTS.c.ledger_id)
    .where(_PAYMENTS.c.id == sa.bindparam("payment"))
)

# An import's message names so many invoices.
NAMED = 10

# What a newer version says in a way that this one doesn't know is the newer processes'; it holds up nothing else.
IS_SAYABLE = sa.and_(
    OutboxMessage.kind.in_(list(AnnouncementKind)),
    sa.or_(OutboxMessage.says.is_(None), OutboxMessage.says.in_(list(FollowUp))),
    ~sa.exists().where(
        PaymentException.id == OutboxMessage.exception_id,
        PaymentException.kind.not_in(list(ExceptionKind)),
    ),
)


def with_contents(
    session: Session,
    message: OutboxMessage,
    announcement: Announcement,
    others: Sequence[OutboxMessage] = (),
) -> Announcement:
    """The announcement with its facts, in the thread where it belongs. ``others`` are told in it, too."""
    announcement = _in_thread(session, message, announcement)
    if message.run_id is not None:
        run = session.get_one(BulkRun, message.run_id)
        return replace(announcement, bulk=run_results.summarise(session, run))
    if message.import_id is not None:
        brought = session.get_one(FileImport, message.import_id)
        return replace(announcement, imported=summarise(brought), file=brought.refused)
    if message.payment_id is not None:
        payment = session.execute(_OF_PAYMENT, {"payment": message.payment_id}).one()
        announcement = replace(
            announcement,
            received=Money(payment.received, payment.received_currency),
            invoice=summarising.summarised_of(payment),
            livemode=payment.livemode,
        )
        told = tuple(with_contents(session, other, announcement) for other in others)
        return replace(announcement, together=told)
    if message.exception_id is not None:
        row = session.get_one(PaymentException, message.exception_id)
        exception = listing.summarise(session, row.id)
        announcement = replace(announcement, exception=exception, follow_up=message.says)
        return _about(session, announcement, row.link_id, row.invoice_id, row.ledger_id)
    if message.batch is not None:
        first, size = listing.of_batch(session, message.batch, NAMED)
        announcement = replace(announcement, batch=first, batch_size=size)
        return _about(session, announcement, None, None, _ledger_of(session, first[0].id))
    return announcement


def _in_thread(session: Session, message: OutboxMessage, announcement: Announcement) -> Announcement:
    """In the thread of what it follows up, if that stands in the channel where this is to stand."""
    followed = None if message.follows_id is None else session.get_one(OutboxMessage, message.follows_id)
    if followed is None or followed.posted_channel != announcement.destination:
        return announcement
    # Slack takes the first message of a thread, and none of its replies (Slack docs: chat.postMessage, thread_ts).
    while followed.follows_id is not None:
        before = session.get_one(OutboxMessage, followed.follows_id)
        if before.posted_channel != announcement.destination:
            break
        followed = before
    return replace(announcement, thread=followed.posted_ts, broadcast=message.broadcast)


def _about(
    session: Session,
    announcement: Announcement,
    link_id: int | None,
    invoice_id: int | None,
    ledger_id: int,
) -> Announcement:
    link = None if link_id is None else session.get_one(Link, link_id)
    if link is not None:
        invoice_id = link.invoice_id
    if invoice_id is not None:
        invoice = session.get_one(Invoice, invoice_id)
        announcement = replace(announcement, invoice=summarising.summarise(invoice, link))
    return replace(announcement, livemode=session.get_one(Ledger, ledger_id).livemode)


def _ledger_of(session: Session, exception_id: int) -> int:
    return session.get_one(PaymentException, exception_id).ledger_id
