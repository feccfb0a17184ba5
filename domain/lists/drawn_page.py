"""The page that a selection is on, read as it is to be drawn."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.invoices import invoices
from domain.invoices.list_page import find_page
from domain.invoices.list_position import FIRST_INELIGIBLE
from domain.invoices.search_terms import phrase_of
from domain.invoices.summarising import INVOICES, summarised, summarised_of
from domain.lists.page_shape import PageShape
from domain.lists.summaries import Extent, InvoiceList, SelectionSummary
from domain.models import STATUS, Invoice, Selection, SelectionItem
from domain.money import Money
from domain.organisations import organisations
from domain.scope import Scope
from domain.states import Due, LinkStatus
from domain.summaries import InvoiceSummary

# A list of more says that there are more: counting takes as long as the list is.
MOST_COUNTED = 1_000


class _Written(NamedTuple):
    """A statement over an organisation's invoices that is written once, over all of them and over those of a status."""

    of_all: sa.Select[Any]
    of_status: sa.Select[Any]

    @classmethod
    def over(cls, write: Callable[[sa.ColumnElement[bool]], sa.Select[Any]]) -> Self:
        own = INVOICES.c.organisation_id == sa.bindparam("own")
        return cls(write(own), write(own & (INVOICES.c.status == sa.bindparam("status", type_=STATUS))))

    def of(
        self, scope: Scope, status: LinkStatus | None, **values: object
    ) -> tuple[sa.Select[Any], dict[str, object]]:
        """It, and its parameters."""
        values["own"] = scope.organisation_id
        return (self.of_all, values) if status is None else (self.of_status, {**values, "status": status})


_LISTED = _Written.over(
    lambda listed: (
        summarised()
        .where(listed, INVOICES.c.position > sa.bindparam("after"))
        .order_by(INVOICES.c.position)
        .limit(sa.bindparam("limit", type_=sa.Integer))
    )
)


def _count(listed: sa.ColumnElement[bool]) -> sa.Select[Any]:
    positions = sa.select(INVOICES.c.position).where(listed).order_by(INVOICES.c.position)
    counted = positions.limit(MOST_COUNTED + 1).subquery()
    eligible = sa.func.count().filter(counted.c.position < FIRST_INELIGIBLE)
    both: list[Any] = [sa.func.count(), eligible]
    return sa.select(*both).select_from(counted)


_COUNTED = _Written.over(_count)


def _is_whole(selection: Selection) -> bool:
    """Whether it shows all that have a status: nothing is searched for."""
    return not phrase_of(selection.search) and selection.due_before is None


def ticked_ids(session: Session, selection_id: int) -> set[int]:
    ids = sa.select(SelectionItem.invoice_id).where(SelectionItem.selection_id == selection_id)
    return set(session.scalars(ids))


def trail_of(selection: Selection) -> list[str]:
    return selection.trail.split("\n") if selection.trail else []


def read_page(
    session: Session, scope: Scope, selection: Selection, shape: PageShape
) -> tuple[list[InvoiceSummary], bool]:
    """The invoices of the shown page, and whether there are more behind them."""
    trail, limit = trail_of(selection), shape.invoices + 1
    after = trail[-1] if trail else None
    if _is_whole(selection):
        values = {"ledger": scope.ledger_id, "after": after or "", "limit": limit}
        rows = session.execute(*_LISTED.of(scope, selection.filter, **values)).all()
        page = [summarised_of(row) for row in rows]
    else:
        ids = find_page(
            session,
            scope.organisation_id,
            selection.search,
            status=selection.filter,
            after=after,
            limit=limit,
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
    is_written: bool = True,
) -> InvoiceList:
    """``is_written``: False for a list in which nothing was done yet."""
    page, has_next = read_page(session, scope, selection, shape)
    page_number = len(trail_of(selection)) + 1
    ticked = ticked_ids(session, selection.id) if is_written else set()
    if page_number == 1 and not has_next:
        extent: Extent | None = Extent(len(page), 1)
    else:
        extent = _extent(session, scope, selection, shape) if _is_whole(selection) else None
    return InvoiceList(
        organisation=organisations.get_summary(session, selection.organisation_id),
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
    total, ticks = session.execute(*_COUNTED.of(scope, selection.filter)).one()
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
