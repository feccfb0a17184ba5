"""The modal that finds an invoice, by type-ahead or among those whose number is nearest, and small notes."""

from collections.abc import Callable, Sequence

from domain.overview.summaries import LookedUp
from domain.states import LinkStatus
from domain.summaries import InvoiceOption
from handlers import ids
from handlers.views.blocks import Json, actions, button, field, header, modal, option, plain, said, section
from handlers.words import written
from handlers.words.sentences import BADGES, STATUSES
from handlers.words.text import fit, inline, length

TITLE = "Find Invoice"


def search() -> Json:
    """It is there to be typed into."""
    return modal(TITLE, [_type_ahead(focused=True)], callback_id=ids.SEARCH_VIEW, submit="Show")


def unknown(number: str, nearest: Sequence[InvoiceOption]) -> Json:
    """No invoice has this number: the nearest ones as buttons, and the search to try again."""
    blocks = [header("No Such Invoice"), section(f"There is no billing invoice {inline(number, 80)}.")]
    if nearest:
        blocks += [section("Did you mean one of these?"), _choices(nearest[:5], _number_and_buyer)]
    return modal(TITLE, [*blocks, _type_ahead()], callback_id=ids.SEARCH_VIEW, submit="Show")


def several(text: str, found: LookedUp) -> Json:
    """What was typed may mean any of these, each a button: ten at most, and all of them in the list."""
    fit = "These billing invoices fit" if len(found.options) > 1 else "This billing invoice fits"
    blocks = [header("Which Invoice?"), section(f"{fit} {inline(text, 80)}:")]
    blocks.append(_choices(found.options[:10], _number_buyer_and_amount))
    if found.more:
        blocks.append(actions([button("Show All", ids.SHOW_ALL, text)], block_id=ids.SHOW_ALL))
    blocks.append(_type_ahead())
    return modal(TITLE, blocks, callback_id=ids.SEARCH_VIEW, submit="Show")


def found(options: Sequence[InvoiceOption]) -> list[Json]:
    """What the type-ahead offers: number and buyer, with its status and badges, and both amounts where the invoice's has changed."""
    return [option(_number_and_buyer(each, 75), str(each.id), _described(each)) for each in options[:100]]


def note(text: str) -> Json:
    """A modal that only says something."""
    return modal("Paylink", [said(text)], callback_id=ids.NOTE_VIEW)


def skeleton() -> Json:
    """What stands there while the data is fetched: Slack's trigger doesn't wait."""
    return note("One moment…")


def _type_ahead(*, focused: bool = False) -> Json:
    element: Json = {
        "type": "external_select",
        "action_id": ids.CHOOSE_INVOICE,
        "placeholder": plain("Invoice number or buyer"),
        "min_query_length": 1,
    }
    if focused:
        element["focus_on_load"] = True
    hint = "Type the beginning of the number, or of any word of the buyer's name."
    return field("Search", element, block_id=ids.CHOOSE_INVOICE, hint=hint, optional=False, dispatch=True)


def _choices(options: Sequence[InvoiceOption], said: Callable[[InvoiceOption, int], str]) -> Json:
    buttons = [
        button(said(each, 75), f"{ids.SHOW_NEAREST}_{place}", str(each.id))
        for place, each in enumerate(options)
    ]
    return actions(buttons, block_id=ids.SHOW_NEAREST)


def _described(each: InvoiceOption) -> str:
    first, other, of = each.amount, each.link_amount, "link"
    if each.status is LinkStatus.PAID and other is not None:
        # Paid is what the link asked for.
        first, other, of = other, first, "invoice"
    told = [written.amount(first), STATUSES[each.status], *(BADGES[badge] for badge in each.badges)]
    if other is not None and other != first:
        told.append(f"{of}: {written.amount(other)}")
    return fit(" · ".join(told), 75)


def _number_and_buyer(each: InvoiceOption, most: int) -> str:
    number = inline(each.number, most)
    room = most - length(number) - 3
    return f"{number} · {inline(each.buyer_name, room)}" if room >= 8 else number


def _number_buyer_and_amount(each: InvoiceOption, most: int) -> str:
    amount = f" · {written.amount(each.amount)}"
    return _number_and_buyer(each, most - length(amount)) + amount
