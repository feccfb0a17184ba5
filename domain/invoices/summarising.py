"""What is said of an invoice and its link: the columns to read, and the summary that is made of them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from domain.invoices.badges import read_badges
from domain.invoices.eligibility import ineligible_because
from domain.invoices.list_position import existing_reason
from domain.models import Base, Invoice, Link
from domain.money import Money
from domain.states import Badge, LinkState, LinkStatus
from domain.summaries import InvoiceSummary, LinkSummary


class InvoiceRow(NamedTuple):
    """What a summary says of an invoice: a page of a hundred rows as objects of the ORM takes three times as long."""

    id: int
    number: str
    buyer_name: str
    buyer_email: str
    amount: int
    currency: str
    issue_date: date | None
    due_date: date | None
    description: str
    billing_state: str


class LinkRow(NamedTuple):
    """What a summary says of a link."""

    state: LinkState
    status: LinkStatus
    refusal: str | None
    url: str | None
    amount: int
    currency: str
    created_at: datetime | None
    requested_by: str | None
    paid_at: datetime | None
    amount_received: int | None
    stripe_payment: str | None
    refunded: bool
    disputed: bool
    exception: bool
    badges: str


# Columns of the tables and not of the models, which would make each statement and row the ORM's.
INVOICES, LINKS = (Base.metadata.tables[model.__tablename__] for model in (Invoice, Link))
_SUMMARISED = [
    *(INVOICES.c[name] for name in InvoiceRow._fields),
    *(LINKS.c[name] for name in LinkRow._fields),
]
_WITH_LINK = INVOICES.outerjoin(
    LINKS, sa.and_(LINKS.c.invoice_id == INVOICES.c.id, LINKS.c.ledger_id == sa.bindparam("ledger"))
)


def summarised(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """What is ``summarised_of`` each row, and ``more`` behind it, for statements that are written once: of all invoices, each
    with its link in the ``ledger`` that is bound."""
    return sa.select(*_SUMMARISED, *more).select_from(_WITH_LINK)


def summarised_of_links(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The same of all links, each with its invoice."""
    of_links = LINKS.join(INVOICES, INVOICES.c.id == LINKS.c.invoice_id)
    return sa.select(*_SUMMARISED, *more).select_from(of_links)


def summarised_of(row: Sequence[Any]) -> InvoiceSummary:
    count = len(InvoiceRow._fields)
    # A link without a state is the outer join's word for none.
    link = None if row[count] is None else LinkRow(*row[count : len(_SUMMARISED)])
    return summarise(InvoiceRow(*row[:count]), link)


def summarise(invoice: Invoice | InvoiceRow, link: Link | LinkRow | None) -> InvoiceSummary:
    """``link`` is the one of the ledger in use."""
    money = Money(invoice.amount, invoice.currency)
    created = link is not None and link.state is LinkState.CREATED
    return InvoiceSummary(
        id=invoice.id,
        number=invoice.number,
        buyer_name=invoice.buyer_name,
        buyer_email=invoice.buyer_email,
        amount=money,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        description=invoice.description,
        status=link.status if link is not None and created else LinkStatus.NOT_CREATED,
        reason=ineligible_because(money, existing_reason(link), invoice.billing_state),
        link=summarise_link(link) if link is not None and created else None,
        refusal=link.refusal if link is not None and link.state is LinkState.REFUSED else None,
        badges=_badges(invoice, link),
    )


def _badges(invoice: Invoice | InvoiceRow, link: Link | LinkRow | None) -> tuple[Badge, ...]:
    if link is None:
        return read_badges("", refunded=False, disputed=False, state=invoice.billing_state)
    return read_badges(
        link.badges, refunded=link.refunded, disputed=link.disputed, state=invoice.billing_state
    )


def summarise_link(link: Link | LinkRow) -> LinkSummary:
    assert link.url is not None
    assert link.created_at is not None
    received = None if link.amount_received is None else Money(link.amount_received, link.currency)
    return LinkSummary(
        url=link.url,
        amount=Money(link.amount, link.currency),
        created_at=link.created_at,
        created_by=link.requested_by,
        paid_at=link.paid_at,
        amount_received=received,
        stripe_payment=link.stripe_payment,
        exception=link.exception,
    )
