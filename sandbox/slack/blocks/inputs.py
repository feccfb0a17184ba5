"""What people put into inputs, and what Slack makes of it: sticky state, clicks, and what a client itself refuses.

State is kept by (block_id, action_id): an update keeps what is there and ignores initial values for the same pair, and
holds only what is displayed (docs/facts/slack.md, modals; Slack docs: reference/views, surfaces/modals#updating_views).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sandbox.slack.blocks.checks import units
from sandbox.slack.blocks.composition import options_of
from sandbox.slack.blocks.surfaces import interactive
from sandbox.slack.state.model import Json

Values = dict[str, dict[str, Json]]

STATEFUL: dict[str, tuple[str, str, Any]] = {
    "plain_text_input": ("value", "initial_value", None),
    "email_text_input": ("value", "initial_value", None),
    "url_text_input": ("value", "initial_value", None),
    "number_input": ("value", "initial_value", None),
    "rich_text_input": ("rich_text_value", "initial_value", None),
    "checkboxes": ("selected_options", "initial_options", []),
    "radio_buttons": ("selected_option", "initial_option", None),
    "static_select": ("selected_option", "initial_option", None),
    "external_select": ("selected_option", "initial_option", None),
    "multi_static_select": ("selected_options", "initial_options", []),
    "multi_external_select": ("selected_options", "initial_options", []),
    "users_select": ("selected_user", "initial_user", None),
    "multi_users_select": ("selected_users", "initial_users", []),
    "channels_select": ("selected_channel", "initial_channel", None),
    "multi_channels_select": ("selected_channels", "initial_channels", []),
    "conversations_select": ("selected_conversation", "initial_conversation", None),
    "multi_conversations_select": ("selected_conversations", "initial_conversations", []),
    "datepicker": ("selected_date", "initial_date", None),
    "timepicker": ("selected_time", "initial_time", None),
    "datetimepicker": ("selected_date_time", "initial_date_time", None),
    "file_input": ("files", "", []),
}
"""Type -> the name of its state, the property that sets it first, and its state when nothing is chosen."""

TEXT_INPUTS = ("plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input")
FORMATS = {
    "email_text_input": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "Please enter a valid email address."),
    "url_text_input": (r"(?i)https?://\S+", "Please enter a valid URL."),
    "number_input": (r"-?\d+(\.\d+)?", "Please enter a number."),
}


def state_of(blocks: list[Json], kept: Values | None = None) -> Values:
    """The state of every displayed element: what was kept for its (block_id, action_id), else its initial value."""
    values: Values = {}
    for block, element in interactive(blocks):
        if element["type"] not in STATEFUL:
            continue
        name, initial, nothing = STATEFUL[element["type"]]
        old = (kept or {}).get(block["block_id"], {}).get(element["action_id"])
        if old and old["type"] == element["type"]:
            state = _still_offered(element, name, old)
        else:
            state = {"type": element["type"], name: element.get(initial, nothing)}
        values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def _still_offered(element: Json, name: str, old: Json) -> Json:
    if "options" not in element and "option_groups" not in element:
        return old
    by_value = {option["value"]: option for option in options_of(element)}
    chosen = old[name]
    if isinstance(chosen, list):
        return {**old, name: [by_value[o["value"]] for o in chosen if o["value"] in by_value]}
    return {**old, name: by_value.get(chosen["value"]) if chosen else None}


def chosen(element: Json, value: str | Sequence[str] | None, offered: list[Json]) -> Json:
    """The state after a person's choice; `offered` are the options that an external select showed last.

    Raises LookupError for an option that isn't there and ValueError for more than max_selected_items.
    """
    kind = element["type"]
    name, _, _ = STATEFUL[kind]
    if kind in TEXT_INPUTS:
        return {"type": kind, name: value or None}
    several = name.endswith("s")
    wanted = [] if value is None else [value] if isinstance(value, str) else list(value)
    if len(wanted) > element.get("max_selected_items", 10**6):
        raise ValueError(f"at most {element['max_selected_items']} can be selected")
    picked: list[Any] = wanted
    if "selected_option" in name:
        choices = options_of(element) or offered
        by_value = {option["value"]: option for option in choices}
        unknown = [each for each in wanted if each not in by_value]
        if unknown:
            raise LookupError(f"no such option: {unknown}")
        picked = [option for option in choices if option["value"] in wanted]
    if kind == "datetimepicker":
        picked = [int(each) for each in wanted]
    return {"type": kind, name: picked if several else (picked[0] if picked else None)}


def dispatches(block: Json, element: Json, *, entered: bool, typed: bool) -> bool:
    """Whether a change is sent to the app (Slack docs: input block dispatch_action, dispatch action configuration)."""
    if block["type"] != "input":
        return True
    if not block.get("dispatch_action"):
        return False
    if element["type"] not in TEXT_INPUTS:
        return True
    on = element.get("dispatch_action_config", {}).get("trigger_actions_on", ["on_enter_pressed"])
    return (entered and "on_enter_pressed" in on) or (typed and "on_character_entered" in on)


def refusals(blocks: list[Json], values: Values) -> dict[str, str]:
    """What the client itself refuses to submit, by block_id: required inputs that are empty, wrong lengths and formats."""
    refused = {}
    for block, element in interactive(blocks):
        if block["type"] != "input":
            continue
        state = values[block["block_id"]][element["action_id"]]
        given = state[STATEFUL[element["type"]][0]]
        complaint = _complaint(block, element, given)
        if complaint:
            refused[block["block_id"]] = complaint
    return refused


def _complaint(block: Json, element: Json, given: Any) -> str | None:
    if not given:
        return None if block.get("optional") else "Please complete this required field."
    if not isinstance(given, str):
        return None
    if len(given) < element.get("min_length", 0):
        return f"Please enter at least {element['min_length']} characters."
    if units(given) > element.get("max_length", 3000):
        return f"Please enter at most {element.get('max_length', 3000)} characters."
    pattern, complaint = FORMATS.get(element["type"], (".*", ""))
    return None if re.fullmatch(pattern, given, re.DOTALL) else complaint
