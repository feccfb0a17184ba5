"""Moving an organisation's links from one ledger into another: promised ones, or all where both are of one account."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.invoices.list_position import place
from domain.models import BulkRun, BulkRunItem, Invoice, Link, Payment, PaymentException, Reversal
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


def join(session: Session, organisation_id: int, apart_id: int, into_id: int) -> None:
    """Both ledgers were shown to be of one account: the organisation's links of the one are the other's from now on, with what
    was paid through them and what was told of it. Else their invoices could get second links there.

    Where the other one has only promised a link to such an invoice, the link that was made is that one; where it has made
    one, too, each stays where it is.
    """
    own = sa.select(Link).where(Link.organisation_id == organisation_id)
    held = {"populate_existing": True}
    there = own.where(Link.ledger_id == into_id).order_by(Link.id).with_for_update()
    others = {link.invoice_id: link for link in session.scalars(there.execution_options(**held))}
    made = own.where(Link.ledger_id == apart_id, Link.state == LinkState.CREATED).order_by(Link.id)
    moved = []
    for link in session.scalars(made.with_for_update().execution_options(**held)).all():
        other = others.get(link.invoice_id)
        if other is not None and other.state is LinkState.CREATED:
            continue
        if other is not None:
            _replace(session, other, link)
        link.ledger_id = into_id
        moved.append(link)
    session.flush()
    _move_facts(session, {link.id for link in moved}, into_id)
    take_over(session, organisation_id, apart_id, into_id, sent=True)
    invoices = {link.invoice_id: link for link in moved}
    found = sa.select(Invoice).where(Invoice.id.in_(invoices)).order_by(Invoice.id)
    for invoice in session.scalars(found.with_for_update()):
        place(invoice, invoices[invoice.id])


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


def _move_facts(session: Session, link_ids: set[int], into_id: int) -> None:
    payments = sa.select(Payment.id).where(Payment.link_id.in_(link_ids))
    session.execute(sa.update(Reversal).where(Reversal.payment_id.in_(payments)).values(ledger_id=into_id))
    session.execute(sa.update(Payment).where(Payment.link_id.in_(link_ids)).values(ledger_id=into_id))
    told = sa.select(PaymentException.key).where(PaymentException.ledger_id == into_id)
    session.execute(
        sa.update(PaymentException)
        .where(PaymentException.link_id.in_(link_ids), PaymentException.key.not_in(told))
        .values(ledger_id=into_id)
    )
