"""The list that a person has open at the desk, and what they tick in it."""

from collections.abc import Callable
from datetime import datetime
from typing import Concatenate, ParamSpec

from sqlalchemy.orm import Session

from domain.desks.scoped import ScopedDesk
from domain.invoices import invoices
from domain.lists import selections
from domain.lists.page_shape import PageShape
from domain.lists.selection_ids import new_id
from domain.lists.summaries import InvoiceList
from domain.scope import Scope
from domain.states import ListFilter, Right
from domain.summaries import Actor

P = ParamSpec("P")


class ListDesk(ScopedDesk):
    async def open_list(self, actor: Actor, search: str = "", *, shape: PageShape) -> InvoiceList:
        """A new selection with nothing ticked, on its first page, filtered by Not Created."""
        # No write: it would wait for an import's chunk before the person sees anything.
        now = self._clock()
        return await self._read(
            Right.LOOK, actor, selections.open_list, actor, new_id(actor), search, shape=shape, now=now
        )

    async def show_list(
        self, actor: Actor, selection_id: int, *, shape: PageShape, opened_with: str | None = None
    ) -> InvoiceList:
        """The page that the selection is on. Raises SelectionNotFound (as all that follow do).

        ``opened_with``: the search of a list in which nothing was done yet, which isn't written down; None for others.
        """
        shown = self._read(
            Right.LOOK,
            actor,
            selections.show_list,
            actor,
            selection_id,
            shape=shape,
            now=self._clock(),
            opened_with=opened_with,
        )
        return await self._audited(actor, shown, f"selection {selection_id}")

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
        """Replace the ticks of the displayed page if nothing newer has been taken in; return how many the cap left out.

        ``acted_at`` is when the person acted, as the screen counts: a decimal that grows; empty for a submission, whose
        state wins. When some were left out the revision
        has moved, and the list must be shown again. Raises InvoiceNotFound for another organisation's, displayed or ticked.
        This is what comes first of all that is done in a list: with ``opened_with`` (see show_list) it writes it down.
        """
        taken = self._write(
            Right.LOOK,
            actor,
            _tick,
            actor,
            selection_id,
            revision=revision,
            displayed=displayed,
            ticked=ticked,
            acted_at=acted_at,
            opened_with=opened_with,
            now=self._clock(),
        )
        return await self._audited(actor, taken, f"selection {selection_id}")

    async def select_page(self, actor: Actor, selection_id: int, *, shape: PageShape) -> InvoiceList:
        """Tick every eligible invoice of the shown page, in page order, up to 100 in all."""
        return await self._change(selections.select_page, actor, selection_id, shape=shape, now=self._clock())

    async def clear_selection(self, actor: Actor, selection_id: int, *, shape: PageShape) -> InvoiceList:
        """Remove every tick on every page."""
        return await self._change(selections.clear, actor, selection_id, shape=shape, now=self._clock())

    async def untick(
        self, actor: Actor, selection_id: int, *, invoice_id: int, shape: PageShape
    ) -> InvoiceList:
        """The page that the selection is on, to be rendered anew without this invoice's tick."""
        now = self._clock()
        return await self._change(
            selections.untick, actor, selection_id, invoice_id=invoice_id, shape=shape, now=now
        )

    async def turn_page(
        self, actor: Actor, selection_id: int, *, forward: bool, revision: int, shape: PageShape
    ) -> InvoiceList:
        """A click that came from an older rendering than the shown one turns nothing."""
        return await self._change(
            selections.turn_page,
            actor,
            selection_id,
            forward=forward,
            revision=revision,
            shape=shape,
            now=self._clock(),
        )

    async def narrow(
        self, actor: Actor, selection_id: int, *, filter: ListFilter | None, search: str, shape: PageShape
    ) -> InvoiceList:
        """Apply a filter and a search; the ticks stay, the page is the first."""
        return await self._change(
            selections.narrow,
            actor,
            selection_id,
            filter=filter,
            search=search,
            shape=shape,
            now=self._clock(),
        )

    async def refresh_list(self, actor: Actor, selection_id: int, *, shape: PageShape) -> InvoiceList:
        """Another list in its place once its bulk run has begun: same search and filter, first page, nothing ticked."""
        now = self._clock()
        return await self._change(
            selections.start_over, actor, selection_id, fresh_id=new_id(actor), shape=shape, now=now
        )

    async def _change(
        self,
        change: Callable[Concatenate[Session, Scope, Actor, int, P], InvoiceList],
        actor: Actor,
        selection_id: int,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> InvoiceList:
        changed = self._write(Right.LOOK, actor, change, actor, selection_id, *args, **kwargs)
        return await self._audited(actor, changed, f"selection {selection_id}")


def _tick(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    revision: int,
    displayed: set[int],
    ticked: set[int],
    acted_at: str,
    opened_with: str | None,
    now: datetime,
) -> int:
    invoices.require_own(session, scope, displayed | ticked)
    return selections.tick(
        session,
        scope,
        actor,
        selection_id,
        revision=revision,
        displayed=displayed,
        ticked=ticked,
        acted_at=acted_at,
        opened_with=opened_with,
        now=now,
    )
