"""Finding one invoice: by type-ahead, and among the nearest when a number doesn't exist."""

from domain.states import Right
from handlers import ids
from handlers.bolt.context import Office
from handlers.bolt.modals import Place, replace_modal, show_modal
from handlers.bolt.payload import Delivery, chosen
from handlers.features import details
from handlers.references import read_id
from handlers.views import search
from handlers.views.blocks import Json
from handlers.words.printing import printable

_TYPED_MOST = 200


async def open_search(office: Office, delivery: Delivery) -> None:
    async def made() -> Json:
        await office.desk.check(delivery.actor, Right.LOOK)
        return search.search()

    await show_modal(office, delivery, made())


async def offer(office: Office, delivery: Delivery) -> Json:
    """What the type-ahead offers for what is typed so far."""
    text = printable(delivery.text)[:_TYPED_MOST]
    if not text:
        return {"options": []}
    return {"options": search.found(await office.desk.find_options(delivery.actor, text))}


async def show_chosen(office: Office, delivery: Delivery) -> None:
    """Show the invoice that was chosen, in the type-ahead or among the nearest, in the same modal."""
    invoice_id = read_id(delivery.value)
    place = await replace_modal(office, delivery, lambda: details.by_id(office, delivery.actor, invoice_id))
    details.follow(office, delivery.actor, place)


async def submit(office: Office, delivery: Delivery) -> Json:
    """As show_chosen, for those who press the button after choosing."""
    state = delivery.shown.state_of(ids.CHOOSE_INVOICE, ids.CHOOSE_INVOICE)
    value = chosen(state)
    if not value:
        words = "Type the beginning of a number or of a buyer's name, and choose an invoice."
        return {"response_action": "errors", "errors": {ids.CHOOSE_INVOICE: words}}
    view = await details.by_id(office, delivery.actor, read_id(value))
    details.follow(office, delivery.actor, Place(delivery.shown.id, shown=view))
    return {"response_action": "update", "view": view}
