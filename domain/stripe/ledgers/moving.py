"""Moving an organisation's links from one ledger into another: promised ones, or all where both are of one account."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from domain.invoices.list_position import place
from domain.models import (
    BulkRun,
    BulkRunItem,
    FeedEvent,
    Invoice,
    Ledger,
    Link,
    Payment,
    PaymentException,
    Reversal,
)
from domain.states import LinkState, Outcome


def take_over(
    session: Session, organisation_id: int, before_id: int, ledger_id: int, *, sent: bool = False
) -> None:
    """Links that were promised but never asked of Stripe are made with the new account.

    Whoever holds one of them now has the old account's key: the claim ends, and its request may go out no more. With
    ``sent``, where both are of one account, those that were asked for go on too, and are looked for first.
    """
    taken = sa.select(Link.invoice_id).where(Link.ledger_id == ledger_id)
    promised = (
        sa.select(Link)
        .where(Link.organisation_id == organisation_id, Link.ledger_id == before_id)
        .where(Link.state == LinkState.RESERVED, Link.invoice_id.not_in(taken))
    )
    if not sent:
        promised = promised.where(Link.first_sent_at.is_(None))
    for link in session.scalars(
        promised.order_by(Link.id).with_for_update().execution_options(populate_existing=True)
    ):
        link.ledger_id = ledger_id
        if link.first_sent_at is None:
            renew(link)
        else:
            link.look_first = True
        link.owner = link.lease_until = None
    session.flush()


def renew(link: Link) -> None:
    """Make it another link, with a request of its own: a database that was restored since may not know that this one was made with
    the old account."""
    reference = uuid.uuid4().hex
    link.request = link.request.replace(link.reference, reference)
    link.reference, link.idempotency_key = reference, f"paylink-{uuid.uuid4()}"


def join(session: Session, organisation_id: int, apart: Ledger, into: Ledger) -> None:
    """Both ledgers were shown to be of one account: the organisation's links of the one are the other's from now on, with what
    was paid through them and what was told of it. Else their invoices could get second links there.

    Where the other one has only promised a link to such an invoice, the link that was made is that one; where it has made
    one, too, each stays where it is.
    """
    own = Link.organisation_id == organisation_id
    made = aliased(Link)
    promised = (
        sa.select(Link, made)
        .join(made, made.invoice_id == Link.invoice_id)
        .where(own, Link.ledger_id == into.id, Link.state != LinkState.CREATED)
        .where(made.ledger_id == apart.id, made.state == LinkState.CREATED)
    )
    for one, other in session.execute(
        promised.with_for_update().execution_options(populate_existing=True)
    ).all():
        _replace(session, one, other)
    there = sa.select(Link.invoice_id).where(own, Link.ledger_id == into.id)
    moved = sa.update(Link).where(own, Link.ledger_id == apart.id, Link.state == LinkState.CREATED)
    session.execute(moved.where(Link.invoice_id.not_in(there)).values(ledger_id=into.id))
    session.expire_all()
    _move_facts(session, organisation_id, apart.id, into.id)
    _watch_from_earlier(apart, into)
    # Others may use it on: with this key it isn't the organisation's.
    apart.key_digest = None
    session.flush()
    take_over(session, organisation_id, apart.id, into.id, sent=True)
    shown = sa.select(Invoice, Link).join(Link, Link.invoice_id == Invoice.id)
    shown = shown.where(own, Link.ledger_id == into.id).order_by(Invoice.id)
    for invoice, link in session.execute(shown.with_for_update(of=Invoice)):
        place(invoice, link)


def _replace(session: Session, promised: Link, made: Link) -> None:
    """Bulk runs that wait for the promised one have the made one; what is left of it at Stripe, if its request had an effect
    after all, is a link that nobody knows."""
    items = sa.update(BulkRunItem).where(BulkRunItem.link_id == promised.id)
    waiting = items.where(BulkRunItem.outcome == Outcome.BEING_CREATED)
    runs = set(session.scalars(waiting.values(outcome=Outcome.CREATED).returning(BulkRunItem.run_id)))
    session.execute(items.values(link_id=made.id))
    told = sa.update(PaymentException).where(PaymentException.link_id == promised.id)
    session.execute(told.values(link_id=made.id))
    open_items = sa.select(BulkRunItem.run_id).where(
        BulkRunItem.run_id == BulkRun.id, BulkRunItem.outcome == Outcome.BEING_CREATED
    )
    session.execute(
        sa.update(BulkRun)
        .where(BulkRun.id.in_(runs), BulkRun.finished_at.is_(None), ~open_items.exists())
        .values(finished_at=made.created_at)
    )
    session.delete(promised)
    session.flush()


def _move_facts(session: Session, organisation_id: int, apart_id: int, into_id: int) -> None:
    links = sa.select(Link.id).where(Link.organisation_id == organisation_id, Link.ledger_id == into_id)
    payments = sa.update(Payment).where(Payment.ledger_id == apart_id, Payment.link_id.in_(links))
    session.execute(payments.values(ledger_id=into_id))
    paid = sa.select(Payment.id).where(Payment.ledger_id == into_id, Payment.link_id.in_(links))
    reversals = sa.update(Reversal).where(Reversal.ledger_id == apart_id, Reversal.payment_id.in_(paid))
    session.execute(reversals.values(ledger_id=into_id))
    known = sa.select(PaymentException.key).where(PaymentException.ledger_id == into_id)
    # Also of what Paylink doesn't know: what has been told isn't told again.
    unknown = sa.and_(PaymentException.link_id.is_(None), PaymentException.organisation_id == organisation_id)
    told = sa.update(PaymentException).where(
        PaymentException.ledger_id == apart_id,
        sa.or_(PaymentException.link_id.in_(links), unknown),
        PaymentException.key.not_in(known),
    )
    session.execute(told.values(ledger_id=into_id))
    feed = sa.update(FeedEvent).where(
        FeedEvent.organisation_id == organisation_id, FeedEvent.ledger_id == apart_id
    )
    session.execute(feed.values(ledger_id=into_id))
    session.expire_all()


def _watch_from_earlier(apart: Ledger, into: Ledger) -> None:
    """What Stripe told and wasn't settled yet is read again."""
    for until in ("events_watermark", "polled_until", "swept_until"):
        times = [at for ledger in (apart, into) if (at := getattr(ledger, until)) is not None]
        if len(times) == 2:
            setattr(into, until, min(times))
