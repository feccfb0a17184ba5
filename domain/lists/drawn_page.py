"""The page that a selection is on, read as it is to be drawn."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.invoices import invoices
from domain.invoices.list_page import find_page
from domain.lists.page_shape import PageShape
from domain.lists.summaries import InvoiceList, SelectionSummary
from domain.models import Organisation, Selection, SelectionItem
from domain.organisations import organisations
from domain.scope import Scope
from domain.summaries import InvoiceSummary


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
    )
    page = invoices.list_known(session, scope, ids)
    shown = shape.count_fitting(page)
    return page[:shown], shown < len(page)


def show(
    session: Session, scope: Scope, selection: Selection, shape: PageShape, *, left_out: int = 0
) -> InvoiceList:
    page, has_next = read_page(session, scope, selection, shape)
    return InvoiceList(
        organisation=organisations.summarise(session.get_one(Organisation, selection.organisation_id)),
        selection=SelectionSummary(
            id=selection.id,
            filter=selection.filter,
            search=selection.search,
            revision=selection.revision,
            ticked=frozenset(ticked_ids(session, selection.id)),
        ),
        invoices=tuple(page),
        has_previous=bool(selection.trail),
        has_next=has_next,
        left_out=left_out,
    )
