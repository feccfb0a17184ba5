"""Exceptions: looking at those that are open, and resolving one with a reason."""

from domain.errors import AlreadyResolved
from domain.summaries import Actor, ExceptionSummary
from handlers import ids
from handlers.bolt.context import Office
from handlers.bolt.modals import Place, open_modal, push_modal, replace_modal, update
from handlers.bolt.payload import Delivery, text_at
from handlers.features import details
from handlers.references import ExceptionsReference, ResolveReference, read_id
from handlers.rejections import Unreadable
from handlers.views.blocks import Json
from handlers.views.exceptions import exceptions, resolving
from handlers.words.printing import is_printable
from handlers.words.sentences import sentence


async def open_list(office: Office, delivery: Delivery) -> None:
    """`/invoice exceptions`, and the buttons on Home and on messages."""
    await open_modal(office, delivery, _listed(office, delivery.actor, 0))


async def turn_page(office: Office, delivery: Delivery) -> None:
    page = read_id(delivery.value)
    await replace_modal(office, delivery, lambda: _listed(office, delivery.actor, page))


async def push_details(office: Office, delivery: Delivery) -> None:
    """The invoice of an exception; its details carry which page of the list they stand on."""
    reference = ExceptionsReference.find(delivery.shown.private_metadata)
    if reference is None:
        raise Unreadable("exceptions")
    invoice_id = read_id(delivery.value)

    async def made() -> Json:
        shown = await details.by_id(office, delivery.actor, invoice_id)
        return shown | {"private_metadata": str(reference)}

    details.follow(office, delivery.actor, await push_modal(office, delivery, made()))


async def ask_reason(office: Office, delivery: Delivery) -> None:
    """Resolve, in the list or in the details of an invoice."""
    reference = ResolveReference(read_id(delivery.value), delivery.shown.private_metadata)

    async def made() -> Json:
        return resolving(await office.desk.get_exception(delivery.actor, reference.exception_id), reference)

    await push_modal(office, delivery, made())
    details.follow_longer(office, delivery)


async def resolve(office: Office, delivery: Delivery) -> Json:
    """Resolve, with the reason: acknowledged only once it is committed. Whoever comes second reads who was first."""
    reference = ResolveReference.read(delivery.shown.private_metadata)
    state = delivery.shown.state_of(ids.REASON, ids.REASON)
    try:
        exception = await office.desk.resolve_exception(
            delivery.actor, reference.exception_id, _printable(text_at(state, "value"))
        )
    except AlreadyResolved as error:
        exception = await office.desk.get_exception(delivery.actor, reference.exception_id)
        office.track(_redraw_underneath(office, delivery, reference, exception))
        view = resolving(exception, reference, said=sentence(error))
        return {"response_action": "update", "view": view}
    office.track(_redraw_underneath(office, delivery, reference, exception))
    return {}


async def _listed(office: Office, actor: Actor, page: int) -> Json:
    return exceptions(await office.desk.list_exceptions(actor, page))


async def _redraw_underneath(
    office: Office, delivery: Delivery, reference: ResolveReference, exception: ExceptionSummary
) -> None:
    """The views that the resolving one stood on: the list of exceptions, the details of an invoice, or both."""
    view = delivery.shown
    under, on_list = view.previous_view_id, ExceptionsReference.find(reference.under)
    if on_list is not None and view.root_view_id:
        shown = await _listed(office, delivery.actor, on_list.page)
        await update(office.log, delivery.client, Place(view.root_view_id), shown)
    if under and exception.invoice_id is not None and not (on_list and under == view.root_view_id):
        shown = await details.by_id(office, delivery.actor, exception.invoice_id)
        shown |= {"private_metadata": reference.under}
        place = await update(office.log, delivery.client, Place(under), shown)
        details.follow(office, delivery.actor, place)


def _printable(text: str) -> str:
    """Several lines, without what no database takes."""
    return "".join(character if character == "\n" or is_printable(character) else " " for character in text)
