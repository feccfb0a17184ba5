"""One invoice: looking at it, creating its link, copying the URL."""

import asyncio
from collections.abc import Awaitable, Callable

from domain.errors import (
    AmountChanged,
    LedgerChanged,
    NotEligible,
    NothingToRecheck,
    PaylinkError,
    RecheckedLately,
    StripeUnasked,
    TooOften,
)
from domain.overview.summaries import FollowedView, InvoiceDetails
from domain.summaries import Actor
from handlers.bolt.context import Office
from handlers.bolt.failures import explain, with_notice
from handlers.bolt.modals import Place, open_modal, push_modal, replace_modal, update
from handlers.bolt.payload import Delivery
from handlers.features import bulk_listing
from handlers.references import HistoryReference, ListReference, SeenInvoice, read_id
from handlers.views.blocks import Json
from handlers.views.details import came_of, copying, details, digest, find_invoice_id
from handlers.views.history import history
from handlers.views.search import note, several, unknown
from handlers.words.exceptions import DEACTIVATED
from handlers.words.sentences import sentence

_HASH_MOST = 40
PATIENCE = 8.0
"""Seconds that the modal waits for Stripe before it shows Being created."""
LOOK_AGAIN: tuple[float, ...] = (2.0, 3.0, 5.0, 10.0, 20.0, 40.0, 60.0)
"""Seconds between looks at a link whose creation takes longer; it settles within two minutes of Stripe answering."""


async def open_by_number(office: Office, delivery: Delivery, number: str) -> None:
    """Show the invoice of this number, those that it may be, or the nearest ones."""
    follow(
        office, delivery.actor, await open_modal(office, delivery, _by_number(office, delivery.actor, number))
    )


async def open_by_id(office: Office, delivery: Delivery) -> None:
    """View Invoice, on a message or on Home."""
    made = by_id(office, delivery.actor, read_id(delivery.value))
    follow(office, delivery.actor, await open_modal(office, delivery, made))


async def push_by_id(office: Office, delivery: Delivery) -> None:
    """The list's Details; they carry which list they stand on."""
    bulk_listing.reference_of(delivery.shown)
    invoice_id = read_id(delivery.value)

    async def made() -> Json:
        return _carrying(delivery, await by_id(office, delivery.actor, invoice_id))

    follow(office, delivery.actor, await push_modal(office, delivery, made()))


async def push_copy(office: Office, delivery: Delivery) -> None:
    """Copy Link URL, wherever it stands."""
    await push_modal(office, delivery, _copy(office, delivery.actor, read_id(delivery.value)))
    follow_longer(office, delivery)


async def push_history(office: Office, delivery: Delivery) -> None:
    reference = HistoryReference.read(delivery.value)
    await push_modal(office, delivery, _history(office, delivery.actor, reference))
    follow_longer(office, delivery)


async def turn_history(office: Office, delivery: Delivery) -> None:
    reference = HistoryReference.read(delivery.value)
    await replace_modal(office, delivery, lambda: _history(office, delivery.actor, reference))


async def _history(office: Office, actor: Actor, reference: HistoryReference) -> Json:
    return history(*await office.desk.get_history(actor, reference.invoice_id, reference.page))


async def recheck(office: Office, delivery: Delivery) -> None:
    """Recheck Now: ask Stripe about the link, and show what came of it."""
    actor, invoice_id = delivery.actor, read_id(delivery.value)
    try:
        rechecked = await office.desk.recheck(actor, invoice_id)
        found, said = rechecked.after, came_of(rechecked)
    except (RecheckedLately, TooOften, StripeUnasked, NothingToRecheck) as error:
        found, said = await office.desk.get_details(actor, invoice_id), str(sentence(error))
    view = _carrying(delivery, present(found, said=said))
    place = Place(delivery.shown.id, delivery.shown.hash)
    follow(office, actor, await update(office.log, delivery.client, place, view))


async def create(office: Office, delivery: Delivery) -> None:
    """Create Payment Link: the button goes at once, and the modal shows what became of it."""
    clicked = SeenInvoice.read(delivery.value)
    actor = delivery.actor
    on_list = _list_under(delivery)
    if on_list is not None:
        # Somebody else's list is refused before anything is created.
        await bulk_listing.shown_list(office, delivery, on_list)

    async def made() -> Json:
        return _carrying(delivery, await by_id(office, actor, clicked.invoice_id, creating=True))

    clicked_in = Place(delivery.shown.id, delivery.shown.hash)
    redrawn = update(office.log, delivery.client, clicked_in, await made(), again=made)
    # At once, not after Slack has redrawn the modal, which may take it a while.
    place, said = await asyncio.gather(redrawn, _create(office, actor, clicked), return_exceptions=True)
    if isinstance(place, BaseException):
        raise place
    try:
        if isinstance(said, BaseException):
            raise said
        await _show_outcome(office, delivery, place, clicked.invoice_id, said)
    except Exception as error:
        # The modal says that the link is being created, which nobody knows now: back to what stood there.
        words = explain(office.log, error)
        if place is not None and words:
            view = with_notice(delivery.shown, words)
            await update(office.log, delivery.client, Place(place.view_id), view)


async def by_id(
    office: Office, actor: Actor, invoice_id: int, *, said: str | None = None, creating: bool = False
) -> Json:
    """The details modal of an invoice. Raises InvoiceNotFound."""
    shown = await office.desk.get_details(actor, invoice_id)
    return present(shown, said=said, creating=creating)


def follow(office: Office, actor: Actor, place: Place | None) -> None:
    """Let the details that were shown there follow their invoice, in whichever process hears of it; others are left alone.

    It is written down with those of others, within a second: nobody waits for it, and if it fails the modal only stays as it is.
    """
    if place is None or place.stale or place.shown is None:
        return
    invoice_id = find_invoice_id(place.shown)
    if invoice_id is not None:
        carried = place.shown["private_metadata"]
        office.desk.follow_view(FollowedView(place.view_id, actor, invoice_id, carried, mark(place)))


def follow_longer(office: Office, delivery: Delivery) -> None:
    """The person clicked in details that open something on top of them."""
    office.watch(_written_down(office, lambda: office.desk.follow_longer(delivery.actor, delivery.shown.id)))


def mark(place: Place) -> str:
    """What tells one state of a view from another: a digest of what it shows, and Slack's hash of it if that has room."""
    hash_ = place.hash if len(place.hash) <= _HASH_MOST else ""
    return f"{digest(place.shown or {'blocks': []})}.{hash_}"


async def _written_down(office: Office, write: Callable[[], Awaitable[None]]) -> None:
    """``write`` is called here: whoever never begins this, at the bot's end, has begun nothing."""
    try:
        await write()
    except PaylinkError as error:
        office.log.info("view.not_followed", error=type(error).__name__)


async def _create(office: Office, actor: Actor, clicked: SeenInvoice) -> str | None:
    """Why it couldn't be, for what can be shown with the invoice as it is now."""
    try:
        await office.desk.create_link(
            actor, clicked.invoice_id, clicked.seen, patience=PATIENCE, livemode=clicked.livemode
        )
    except (NotEligible, AmountChanged, LedgerChanged) as error:
        return sentence(error)
    return None


async def _show_outcome(
    office: Office, delivery: Delivery, place: Place | None, invoice_id: int, said: str | None
) -> None:
    """Show the invoice as it is, in the modal unless that is closed, and in the list that it may stand on."""
    found = await office.desk.get_details(delivery.actor, invoice_id)
    if place is not None:
        view = _carrying(delivery, present(found, said=said))
        place = await update(office.log, delivery.client, place, view)
        follow(office, delivery.actor, place)
    on_list, listed = _list_under(delivery), None
    if on_list is not None and not found.invoice.eligible:
        listed = await bulk_listing.show_without(office, delivery, on_list, invoice_id)
    if found.invoice.being_created or (place is not None and place.stale):
        office.watch(_follow(office, delivery, place, listed, invoice_id))


async def _follow(
    office: Office, delivery: Delivery, place: Place | None, listed: Place | None, invoice_id: int
) -> None:
    """Look again until the link is settled and shown; in the list only if nobody has used that meanwhile."""
    on_list = _list_under(delivery)
    for seconds in LOOK_AGAIN:
        await office.pause(seconds)
        try:
            found = await office.desk.get_details(delivery.actor.unasked, invoice_id)
            if found.invoice.being_created:
                continue
            if on_list is not None and listed is not None:
                await bulk_listing.show_settled(office, delivery, listed, on_list.selection_id)
                listed = None
            if place is not None:
                view = _carrying(delivery, present(found))
                place = await update(office.log, delivery.client, place, view)
                follow(office, delivery.actor, place)
            if place is None or not place.stale:
                return
        except PaylinkError as error:
            office.log.info("invoice.not_read", error=type(error).__name__)


def _carrying(delivery: Delivery, view: Json) -> Json:
    """The view with the reference of the list that it stands on, or will; one that stands alone has its own."""
    carried = delivery.shown.private_metadata
    return view if carried.isdecimal() else view | {"private_metadata": carried}


def _list_under(delivery: Delivery) -> ListReference | None:
    """None for details that stand alone, which carry their invoice's id. Raises Unreadable."""
    carried = delivery.shown.private_metadata
    return ListReference.read(carried) if "|" in carried else None


async def _by_number(office: Office, actor: Actor, number: str) -> Json:
    found = await office.desk.look_up(actor, number)
    if found.details is not None:
        return present(found.details)
    if found.options:
        return several(number, found)
    return unknown(number, await office.desk.find_nearest(actor, number))


async def _copy(office: Office, actor: Actor, invoice_id: int) -> Json:
    invoice = await office.desk.get_invoice(actor, invoice_id)
    if invoice.link is None:
        return note("This invoice has no online payment link in the Stripe mode in use.")
    return note(DEACTIVATED) if invoice.deactivated else copying(invoice, invoice.link)


def present(found: InvoiceDetails, *, said: str | None = None, creating: bool = False) -> Json:
    """The details modal of what was found."""
    return details(
        found.invoice,
        found.organisation,
        found.stripe,
        exceptions=found.exceptions,
        resolved=found.resolved,
        today=found.today,
        said=said,
        creating=creating,
        rights=found.rights,
    )
