"""The list modal: its pages, its filter and search, and what is ticked on it."""

from collections.abc import Awaitable, Callable

from domain.errors import NothingSelected
from domain.lists.summaries import InvoiceList
from domain.states import ListFilter, Right
from handlers.bolt.context import Office
from handlers.bolt.failures import tell
from handlers.bolt.modals import Place, open_modal, replace_modal, update
from handlers.bolt.payload import Delivery, ShownView
from handlers.features.list_state import displayed_ticks, typed_search
from handlers.references import SEARCH_MOST, ListReference
from handlers.rejections import Unreadable
from handlers.views.blocks import Json
from handlers.views.confirmation import confirmation
from handlers.views.listing import PAGE, listing, read_filter
from handlers.words.printing import printable
from handlers.words.sentences import left_out

DRAW_AGAIN = (1.0, 3.0)
"""Seconds after which a list that Slack couldn't draw is sent again."""
NOT_DRAWN = "Slack didn't take the list as it is now: what it shows is older. Close it and open it again with /invoices."
Change = Callable[[], Awaitable[InvoiceList]]


async def open_list(office: Office, delivery: Delivery, text: str = "") -> None:
    async def made() -> Json:
        return listing(await office.desk.open_list(delivery.actor, text, shape=PAGE))

    await open_modal(office, delivery, made())


async def open_filtered(office: Office, delivery: Delivery) -> None:
    """What a figure on Home counts."""
    try:
        status = read_filter(delivery.value)
    except ValueError as error:
        raise Unreadable("filter") from error
    await open_modal(office, delivery, _opened(office, delivery, status, ""))


async def show_all(office: Office, delivery: Delivery) -> None:
    """All that a search finds, whatever its status, in the modal that offered the first of it."""
    text = printable(delivery.value)[:SEARCH_MOST]
    view = await _opened(office, delivery, None, text)

    async def made() -> Json:
        return view

    await replace_modal(office, delivery, made)


async def _opened(office: Office, delivery: Delivery, status: ListFilter | None, text: str) -> Json:
    """A list with another filter than it begins with: it is written down at once."""
    actor = delivery.actor
    opened = (await office.desk.open_list(actor, text, shape=PAGE)).selection
    await office.desk.tick(
        actor,
        opened.id,
        revision=opened.revision,
        displayed=set(),
        ticked=set(),
        acted_at="",
        opened_with=text,
    )
    return listing(await office.desk.narrow(actor, opened.id, filter=status, search=text, shape=PAGE))


async def tick(office: Office, delivery: Delivery) -> None:
    """A tick was set or taken: the count follows, and what the cap left out is unticked."""
    reference = reference_of(delivery.shown)
    left = await take_ticks(office, delivery, reference)
    await _show(office, delivery, reference, said=left_out(left) if left else None)


async def select_page(office: Office, delivery: Delivery) -> None:
    reference = reference_of(delivery.shown)
    await _change(
        office,
        delivery,
        reference,
        lambda: office.desk.select_page(delivery.actor, reference.selection_id, shape=PAGE),
    )


async def clear(office: Office, delivery: Delivery) -> None:
    reference = reference_of(delivery.shown)
    await _change(
        office,
        delivery,
        reference,
        lambda: office.desk.clear_selection(delivery.actor, reference.selection_id, shape=PAGE),
    )


async def next_page(office: Office, delivery: Delivery) -> None:
    await _turn(office, delivery, forward=True)


async def previous_page(office: Office, delivery: Delivery) -> None:
    await _turn(office, delivery, forward=False)


async def search(office: Office, delivery: Delivery) -> None:
    """Enter in Search; the filter stays."""
    reference = reference_of(delivery.shown)
    text = printable(delivery.action.value if delivery.action else "")[:SEARCH_MOST]
    now = await shown_list(office, delivery, reference)
    await _change(
        office,
        delivery,
        reference,
        lambda: office.desk.narrow(
            delivery.actor, reference.selection_id, filter=now.selection.filter, search=text, shape=PAGE
        ),
    )


async def filter_by(office: Office, delivery: Delivery) -> None:
    """A choice of the filter; the search that was applied stays."""
    reference = reference_of(delivery.shown)
    try:
        status = read_filter(delivery.action.value if delivery.action else None)
    except ValueError as error:
        raise Unreadable("filter") from error
    now = await shown_list(office, delivery, reference)
    await _change(
        office,
        delivery,
        reference,
        lambda: office.desk.narrow(
            delivery.actor, reference.selection_id, filter=status, search=now.selection.search, shape=PAGE
        ),
    )


async def submit(office: Office, delivery: Delivery) -> Json:
    """Create Payment Link: the confirmation is pushed. What was typed into Search is taken, too.

    With nothing ticked it is all that was wanted, and the list is shown with it.
    """
    reference = reference_of(delivery.shown)
    left = await take_ticks(office, delivery, reference)
    # Where nothing can be ticked, the submit is called Search.
    only_searches = not displayed_ticks(delivery)[0]
    searched = await _take_search(office, delivery, reference, cleared=only_searches)
    if searched is not None and not searched.selection.ticked:
        return {"response_action": "update", "view": listing(searched)}
    if only_searches:
        page = await shown_list(office, delivery, reference)
        if Right.CREATE not in page.rights:
            return {"response_action": "update", "view": listing(page)}
    try:
        shown = await office.desk.confirm(delivery.actor, reference.selection_id)
    except NothingSelected:
        page = await shown_list(office, delivery, reference)
        if any(invoice.eligible for invoice in page.invoices):
            raise
        return {"response_action": "update", "view": listing(page)}
    if left or searched is not None:
        office.track(_show(office, delivery, reference, said=left_out(left) if left else None))
    view = confirmation(shown, said=left_out(left) if left else None)
    return {"response_action": "push", "view": view}


async def _take_search(
    office: Office, delivery: Delivery, reference: ListReference, *, cleared: bool = False
) -> InvoiceList | None:
    """The list with what stands in Search, if that isn't what was applied; None if it is.

    An empty Search counts only where it was ``cleared`` to search.
    """
    typed = typed_search(delivery.shown)
    if not typed and not cleared:
        return None
    now = await shown_list(office, delivery, reference)
    if typed.split() == now.selection.search.split():
        return None
    return await office.desk.narrow(
        delivery.actor, reference.selection_id, filter=now.selection.filter, search=typed, shape=PAGE
    )


async def start_over(
    office: Office, delivery: Delivery, view_id: str, selection_id: int
) -> tuple[Place | None, int]:
    """The list underneath once its bulk run has begun: fresh, with nothing ticked. Its place, None if it is closed, and
    its selection."""
    page = await office.desk.refresh_list(delivery.actor, selection_id, shape=PAGE)
    place = await update(office.log, delivery.client, Place(view_id), listing(page))
    return place, page.selection.id


async def show_settled(office: Office, delivery: Delivery, place: Place, selection_id: int) -> None:
    """The list underneath once its bulk run is final, unless the person has used it since it was shown there.

    The revision stays, and with it what was typed into Search; nothing is ticked that Slack could keep in its old group.
    """
    page = await office.desk.show_list(delivery.actor, selection_id, shape=PAGE)
    await update(office.log, delivery.client, place, listing(page), only_unchanged=True)


async def show_without(
    office: Office, delivery: Delivery, reference: ListReference, invoice_id: int
) -> Place | None:
    """The list underneath when an invoice of it can't be ticked any more: the page and the other ticks stay."""
    # There are none to take in, but a list in which nothing was done yet is written down by it.
    await take_ticks(office, delivery, reference)
    page = await office.desk.untick(delivery.actor, reference.selection_id, invoice_id=invoice_id, shape=PAGE)
    return await update(office.log, delivery.client, Place(delivery.shown.root_view_id), listing(page))


def reference_of(view: ShownView) -> ListReference:
    """Raises Unreadable."""
    return ListReference.read(view.private_metadata)


async def shown_list(office: Office, delivery: Delivery, reference: ListReference) -> InvoiceList:
    return await office.desk.show_list(
        delivery.actor, reference.selection_id, shape=PAGE, opened_with=reference.opened_with
    )


async def take_ticks(office: Office, delivery: Delivery, reference: ListReference) -> int:
    """Merge what is ticked on the displayed page into the selection; how many the cap left out."""
    displayed, ticked = displayed_ticks(delivery)
    return await office.desk.tick(
        delivery.actor,
        reference.selection_id,
        revision=reference.revision,
        displayed=displayed,
        ticked=ticked,
        acted_at=delivery.action.at if delivery.action else "",
        opened_with=reference.opened_with,
    )


async def _turn(office: Office, delivery: Delivery, *, forward: bool) -> None:
    """Another page; of what was typed into Search meanwhile, the first."""
    reference = reference_of(delivery.shown)

    async def turned() -> InvoiceList:
        searched = await _take_search(office, delivery, reference)
        return searched or await office.desk.turn_page(
            delivery.actor,
            reference.selection_id,
            forward=forward,
            revision=reference.revision,
            shape=PAGE,
        )

    await _change(office, delivery, reference, turned)


async def _change(office: Office, delivery: Delivery, reference: ListReference, change: Change) -> None:
    """Take in the displayed ticks, change the list, show it."""
    left = await take_ticks(office, delivery, reference)
    page = await change()
    left += page.left_out
    said = left_out(left) if left else None

    async def now() -> Json:
        page = await office.desk.show_list(delivery.actor, reference.selection_id, shape=PAGE)
        return listing(page, said=said)

    await _redraw(office, delivery, listing(page, said=said), now)


async def _show(office: Office, delivery: Delivery, reference: ListReference, said: str | None) -> None:
    async def now() -> Json:
        page = await office.desk.show_list(delivery.actor, reference.selection_id, shape=PAGE)
        return listing(page, said=said)

    await _redraw(office, delivery, await now(), now)


async def _redraw(office: Office, delivery: Delivery, view: Json, now: Callable[[], Awaitable[Json]]) -> None:
    """Show the list as it is; it must not go on showing what it was before."""
    place = Place(delivery.shown.id, delivery.shown.hash)
    drawn = await update(office.log, delivery.client, place, view, again=now)
    for seconds in DRAW_AGAIN:
        if drawn is None or not drawn.stale:
            return
        await office.pause(seconds)
        drawn = await update(office.log, delivery.client, drawn, await now())
    if drawn is not None and drawn.stale:
        await tell(office, delivery, NOT_DRAWN)
