"""The page that a selection is on, read as it is to be drawn."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.invoices import invoices
from domain.invoices.list_page import find_page
from domain.invoices.list_position import FIRST_INELIGIBLE
from domain.invoices.search_terms import phrase_of
from domain.lists.page_shape import PageShape
from domain.lists.summaries import Extent, InvoiceList, SelectionSummary
from domain.models import Invoice, Organisation, Selection, SelectionItem
from domain.money import Money
from domain.organisations import organisations
from domain.scope import Scope
from domain.states import Due
from domain.summaries import InvoiceSummary

# A list of more says that there are more: counting takes as long as the list is.
MOST_COUNTED = 1_000


def ticked_ids(session: Session, selection_id: int) -> set[int]:
    ids = sa.select(SelectionItem.invoice_id).where(SelectionItem.selection_id == selection_id)
    return set(session.scalars(ids))


def trail_of(selection: Selection) -> list[str]:
    return selection.trail.split("\n") if selection.trail else []


def read_page(
    session: Session, scope: Scope, selection: Selection, shape: PageShape
) -> tuple[list[InvoiceSummary], bool]:
    """The invoices of the shown page, and whether there are more behind them."""
    trail = trail_of(selection)
    ids = find_page(
        session,
        scope.organisation_id,
        selection.search,
        status=selection.filter,
        after=trail[-1] if trail else None,
        limit=shape.invoices + 1,
        due_before=selection.due_before,
    )
    page = invoices.list_known(session, scope, ids)
    shown = shape.count_fitting(page)
    return page[:shown], shown < len(page)


def show(
    session: Session,
    scope: Scope,
    selection: Selection,
    shape: PageShape,
    *,
    now: datetime,
    left_out: int = 0,
) -> InvoiceList:
    page, has_next = read_page(session, scope, selection, shape)
    page_number = len(trail_of(selection)) + 1
    ticked = ticked_ids(session, selection.id)
    if page_number == 1 and not has_next:
        extent: Extent | None = Extent(len(page), 1)
    else:
        extent = (
            None
            if phrase_of(selection.search) or selection.due_before
            else _extent(session, scope, selection, shape)
        )
    return InvoiceList(
        organisation=organisations.summarise(session.get_one(Organisation, selection.organisation_id)),
        selection=SelectionSummary(
            id=selection.id,
            filter=selection.filter if selection.due_before is None else Due.OVERDUE,
            search=selection.search,
            revision=selection.revision,
            ticked=frozenset(ticked),
        ),
        invoices=tuple(page),
        page_number=page_number,
        has_next=has_next,
        today=scope.today(now),
        extent=extent,
        totals=_totals(session, ticked) if ticked else (),
        left_out=left_out,
        rights=scope.rights,
    )


def _extent(session: Session, scope: Scope, selection: Selection, shape: PageShape) -> Extent:
    listed = sa.select(Invoice.position).where(Invoice.organisation_id == scope.organisation_id)
    if selection.filter is not None:
        listed = listed.where(Invoice.status == selection.filter)
    counted = listed.order_by(Invoice.position).limit(MOST_COUNTED + 1).subquery()
    eligible = sa.func.count().filter(counted.c.position < FIRST_INELIGIBLE)
    total, ticks = session.execute(sa.select(sa.func.count(), eligible).select_from(counted)).one()
    if total > MOST_COUNTED:
        return Extent(MOST_COUNTED, None)
    return Extent(total, shape.count_pages(ticks, total - ticks))


def _totals(session: Session, ticked: set[int]) -> tuple[Money, ...]:
    sums = (
        sa.select(Invoice.currency, sa.func.sum(Invoice.amount))
        .where(Invoice.id.in_(ticked))
        .group_by(Invoice.currency)
        .order_by(Invoice.currency)
    )
    return tuple(Money(int(amount), currency) for currency, amount in session.execute(sums))
