"""Taking up a link that Paylink made and doesn't know any more, in place of making another one."""

from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.links.claiming import record_created
from domain.models import Invoice, Link
from domain.payments.stripe_links.naming import Offer
from domain.payments.stripe_links.unknown import find_invoice, is_mode, settle_link
from domain.payments.waits import Wait
from domain.states import LinkState
from domain.stripe.client import API_VERSION
from domain.stripe.ledgers.moving import renew


def adopt(
    session: Session, offer: Offer, ledger_id: int, made_at: datetime, now: datetime
) -> bool | Literal[Wait.LINK_RESERVED]:
    """Take up a link that Paylink made for an invoice that has none here, over that invoice's amount; whether it is
    the invoice's now, or that its creation settles first.

    What is promised and was never asked for counts as none. ``made_at``: a time by Stripe's clock at which it was there.
    """
    naming, money = offer.naming, offer.money
    if naming is None or naming.reference is None or money is None or not is_mode(session, offer, ledger_id):
        return False
    invoice = find_invoice(session, ledger_id, naming)
    if invoice is None:
        return False
    link = _lock(session, ledger_id, invoice)
    if link is not None and link.state is LinkState.CREATED:
        return link.stripe_id == offer.facts.stripe_id
    fits = (invoice.amount, invoice.currency) == (money.amount, money.currency)
    held = sa.select(Link).where(Link.reference == naming.reference)
    holder = session.scalar(held.with_for_update().execution_options(populate_existing=True))
    elsewhere = holder is not None and holder is not link
    if elsewhere and not (holder and _is_forgotten(holder, invoice)):
        # Another link's reference: it is a copy.
        return False
    row = holder if link is None else link
    if row is not None and row.state is LinkState.RESERVED:
        if row is holder and (row.amount, row.currency) == (money.amount, money.currency):
            # What this very row asked for, even if only the database before the restore knew of it.
            fits = True
        elif row is holder and elsewhere:
            return False
        elif (row is holder and not fits) or (row is not holder and row.first_sent_at is not None):
            return Wait.LINK_RESERVED
    if not fits:
        return False
    if elsewhere and holder is not None:
        holder = _bring(session, holder, link, ledger_id)
    link = row
    if link is None:
        link = Link(
            organisation_id=invoice.organisation_id,
            invoice_id=invoice.id,
            ledger_id=ledger_id,
            reserved_at=now,
            changed_at=now,
            next_attempt_at=now,
            api_version=API_VERSION,
        )
        session.add(link)
    if holder is None:
        link.reference, link.idempotency_key = naming.reference, f"adopted-{naming.reference}"
        link.request = "{}"
    link.state, link.refusal = LinkState.RESERVED, None
    link.amount, link.currency = money.amount, money.currency
    session.flush()
    record_created(session, link.id, offer.facts.stripe_id, offer.url, made_at, now)
    session.expire_all()
    settle_link(session, ledger_id, offer.facts.stripe_id, now)
    return True


def _bring(session: Session, holder: Link, link: Link | None, ledger_id: int) -> Link | None:
    """Take what another ledger promised into this one, or only its reference where the invoice has a link here."""
    if link is None:
        holder.ledger_id = ledger_id
        return holder
    renew(holder)
    # Nobody else may have the reference at any time.
    session.flush()
    return None


def _is_forgotten(link: Link, invoice: Invoice) -> bool:
    """Whether it was promised to the invoice in another ledger, and isn't known to have been asked for: the database before a
    restore did that with this account, by a key that didn't tell whose it is."""
    return link.invoice_id == invoice.id and link.state is LinkState.RESERVED and link.first_sent_at is None


def _lock(session: Session, ledger_id: int, invoice: Invoice) -> Link | None:
    """The invoice's link, both locked: nobody reserves one meanwhile, and none that is reserved is sent or recorded."""
    session.refresh(invoice, with_for_update={"key_share": True})
    link = sa.select(Link).where(Link.ledger_id == ledger_id, Link.invoice_id == invoice.id)
    return session.scalar(link.with_for_update().execution_options(populate_existing=True))
