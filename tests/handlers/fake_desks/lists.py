"""Of a fake desk what the list of invoices needs: selections in memory."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from domain.errors import (
    SelectionNotFound,
)
from domain.invoices.invoices import totals
from domain.lists.page_shape import PageShape
from domain.lists.summaries import Extent, InvoiceList, SelectionSummary
from domain.states import Due, LinkStatus, ListFilter
from domain.summaries import (
    Actor,
)
from tests.handlers.fake_desks.scoped import FakeScopedDesk, is_late, matches
from tests.handlers.samples import NOW


class FakeListDesk(FakeScopedDesk):
    async def open_list(self, actor: Actor, search: str = "", *, shape: PageShape) -> InvoiceList:
        await self._asked(actor)
        new = len(self.selections) + 1
        self.selections[new] = SelectionSummary(new, LinkStatus.NOT_CREATED, search, 1, frozenset())
        self.offsets[new] = [0]
        return self._page(new, shape)

    async def show_list(
        self, actor: Actor, selection_id: int, *, shape: PageShape, opened_with: str | None = None
    ) -> InvoiceList:
        await self._asked(actor)
        self._get(selection_id)
        return self._page(selection_id, shape)

    async def tick(
        self,
        actor: Actor,
        selection_id: int,
        *,
        revision: int,
        displayed: set[int],
        ticked: set[int],
        acted_at: str,
        opened_with: str | None = None,
    ) -> int:
        await self._asked(actor)
        selection = self._get(selection_id)
        if acted_at and (selection.revision != revision or not self._is_newer(selection_id, acted_at)):
            return 0
        self.last_actions[selection_id] = acted_at or self.last_actions.get(selection_id, "")
        kept = selection.ticked - (displayed - ticked) if selection.revision == revision else selection.ticked
        wanted = sorted(ticked - kept)
        added = wanted[: 100 - len(kept)]
        left_out = len(wanted) - len(added)
        self._set(selection_id, ticked=kept | set(added), revision=revision + bool(left_out))
        return left_out

    async def select_page(self, actor: Actor, selection_id: int, *, shape: PageShape) -> InvoiceList:
        await self._asked(actor)
        selection = self._touch(selection_id)
        page = self._page(selection_id, shape)
        wanted = [one.id for one in page.invoices if one.eligible and one.id not in selection.ticked]
        added = wanted[: 100 - len(selection.ticked)]
        self._set(selection_id, ticked=selection.ticked | set(added))
        return replace(self._page(selection_id, shape), left_out=len(wanted) - len(added))

    async def clear_selection(self, actor: Actor, selection_id: int, *, shape: PageShape) -> InvoiceList:
        await self._asked(actor)
        self._touch(selection_id)
        self._set(selection_id, ticked=frozenset())
        return self._page(selection_id, shape)

    async def untick(
        self, actor: Actor, selection_id: int, *, invoice_id: int, shape: PageShape
    ) -> InvoiceList:
        await self._asked(actor)
        self._set(selection_id, ticked=self._touch(selection_id).ticked - {invoice_id})
        return self._page(selection_id, shape)

    async def turn_page(
        self, actor: Actor, selection_id: int, *, forward: bool, revision: int, shape: PageShape
    ) -> InvoiceList:
        await self._asked(actor)
        if self._get(selection_id).revision == revision:
            offsets, page = self.offsets[selection_id], self._page(selection_id, shape)
            if forward and page.has_next:
                offsets.append(offsets[-1] + len(page.invoices))
            elif not forward and len(offsets) > 1:
                offsets.pop()
            self._touch(selection_id)
        return self._page(selection_id, shape)

    async def narrow(
        self, actor: Actor, selection_id: int, *, filter: ListFilter | None, search: str, shape: PageShape
    ) -> InvoiceList:
        await self._asked(actor)
        self._touch(selection_id)
        self._set(selection_id, filter=filter, search=search)
        self.offsets[selection_id] = [0]
        return self._page(selection_id, shape)

    async def refresh_list(self, actor: Actor, selection_id: int, *, shape: PageShape) -> InvoiceList:
        self.offsets[selection_id] = [0]
        return await self.clear_selection(actor, selection_id, shape=shape)

    def _get(self, selection_id: int) -> SelectionSummary:
        if selection_id not in self.selections:
            raise SelectionNotFound
        return self.selections[selection_id]

    def _set(self, selection_id: int, **changes: object) -> None:
        self.selections[selection_id] = replace(self._get(selection_id), **changes)  # type: ignore[arg-type]

    def _is_newer(self, selection_id: int, acted_at: str) -> bool:
        last = self.last_actions.get(selection_id)
        return not last or Decimal(acted_at) > Decimal(last)

    def _touch(self, selection_id: int) -> SelectionSummary:
        self._set(selection_id, revision=self._get(selection_id).revision + 1)
        return self._get(selection_id)

    def _page(self, selection_id: int, shape: PageShape) -> InvoiceList:
        selection = self._get(selection_id)
        found = [one for one in self.invoices.values() if matches(one, selection.search)]
        found = [one for one in found if selection.filter in (None, one.status, Due.OVERDUE)]
        if selection.filter is Due.OVERDUE:
            found = [one for one in found if is_late(one)]
        found.sort(key=lambda one: (not one.eligible, one.due_date or date.max, one.number))
        start = self.offsets[selection_id][-1]
        page = found[start : start + shape.count_fitting(found[start:])]
        more = start + len(page) < len(found)
        number = len(self.offsets[selection_id])
        ticks = sum(one.eligible for one in found)
        extent = Extent(len(found), shape.count_pages(ticks, len(found) - ticks))
        return InvoiceList(
            self.organisation,
            selection,
            tuple(page),
            number,
            more,
            NOW.date(),
            extent if not selection.search or (number == 1 and not more) else None,
            totals(self.invoices[key] for key in selection.ticked),
        )
