"""What Slack tells of the list modal's inputs: its ticks, and what stands in Search."""

from handlers import ids
from handlers.bolt.payload import Delivery, ShownView, all_chosen, dig, text_at
from handlers.references import SEARCH_MOST, read_id
from handlers.views.blocks import Json
from handlers.words.printing import printable


def typed_search(view: ShownView) -> str:
    """What stands in Search, with Enter or without."""
    for block in view.blocks:
        block_id = str(block.get("block_id"))
        if block_id.startswith(f"{ids.SEARCH_BLOCK}-"):
            return printable(text_at(view.state_of(block_id, ids.LIST_SEARCH), "value"))[:SEARCH_MOST]
    return ""


def displayed_ticks(delivery: Delivery) -> tuple[set[int], set[int]]:
    """The invoices with a checkbox on the displayed page, and those of them that are ticked.

    A group whose state Slack doesn't tell counts as not displayed. Raises Unreadable.
    """
    displayed: set[int] = set()
    ticked: set[int] = set()
    for block in delivery.shown.blocks:
        block_id = str(block.get("block_id"))
        if not block_id.startswith(f"{ids.TICKS_BLOCK}-"):
            continue
        state = _state_of_group(delivery, block_id)
        if state is None:
            continue
        displayed |= {read_id(value) for element in _elements(block) for value in _offered(element)}
        ticked |= {read_id(value) for value in all_chosen(state)}
    return displayed, ticked


def _state_of_group(delivery: Delivery, block_id: str) -> Json | None:
    action = delivery.action
    if action is not None and (action.block_id, action.action_id) == (block_id, ids.LIST_TICKS):
        return action.payload
    return delivery.shown.state_of(block_id, ids.LIST_TICKS)


def _elements(block: Json) -> list[Json]:
    elements = block.get("elements")
    return (
        [element for element in elements if isinstance(element, dict)] if isinstance(elements, list) else []
    )


def _offered(element: Json) -> list[str]:
    options = element.get("options")
    return [str(dig(option, "value")) for option in options] if isinstance(options, list) else []
