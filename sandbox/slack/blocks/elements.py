"""Block elements: their properties, and the blocks and surfaces that take them.

Sources: Slack docs: reference/block-kit/block-elements (one page an element; the table of blocks and surfaces is its
first), limits also in docs/facts/slack.md. `video`-like elements, workflow buttons and feedback buttons are not taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.slack.blocks.checks import (
    Check,
    Problems,
    Rule,
    anything,
    array,
    boolean,
    integer,
    matching,
    one_of,
    record,
    string,
    units,
)
from sandbox.slack.blocks.composition import (
    CONFIRM,
    CONVERSATION_FILTER,
    DISPATCH_CONFIG,
    LINKED_OPTION,
    MARKED_OPTION,
    OPTION,
    OPTION_GROUP,
    SLACK_FILE,
    URL,
    WEB_URL,
    initial_among_options,
    options_or_groups,
    plain_text,
    unique_values,
)
from sandbox.slack.state.model import Json

EVERYWHERE = frozenset({"modal", "home", "message"})
IDENTIFIER = string(255)
DATE = matching(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", "must be a valid date")
TIME = matching(r"([01]\d|2[0-3]):[0-5]\d", "must be a valid time")
PLACEHOLDER = plain_text(150)


@dataclass(frozen=True)
class Element:
    """What may be said of one type of element, and where it may stand."""

    check: Check
    blocks: frozenset[str]
    surfaces: frozenset[str] = EVERYWHERE


def element(
    kind: str, blocks: str, required: dict[str, Check], optional: dict[str, Check], *rules: Rule
) -> Element:
    known = {"action_id": IDENTIFIER, **optional}
    return Element(record({"type": one_of(kind), **required}, known, *rules), frozenset(blocks.split()))


def in_modals(made: Element, *others: str) -> Element:
    return Element(made.check, made.blocks, frozenset({"modal", *others}))


def lengths_in_order(value: Json, at: str, problems: Problems) -> None:
    least, most = value.get("min_length", 0), value.get("max_length", 3000)
    if least > most:
        problems.add("min_length must not be greater than max_length", at)
    elif "initial_value" in value and units(value["initial_value"]) > most:
        problems.add(f"must be less than {most + 1} characters", f"{at}/initial_value")


def image_has_source(value: Json, at: str, problems: Problems) -> None:
    if ("image_url" in value) == ("slack_file" in value):
        problems.add("must have either image_url or slack_file", at)


def selects(kind: str, own: dict[str, Check], *rules: Rule) -> Element:
    common = {"confirm": CONFIRM, "focus_on_load": boolean, "placeholder": PLACEHOLDER, **own}
    return element(kind, "section actions input", {}, common, *rules)


def text_input(kind: str, own: dict[str, Check], *rules: Rule) -> Element:
    common = {"dispatch_action_config": DISPATCH_CONFIG, "focus_on_load": boolean, "placeholder": PLACEHOLDER}
    return element(kind, "input", {}, {**common, **own}, *rules)


FEW = array(MARKED_OPTION, 10)
MANY = array(OPTION, 100)
STATIC = {"options": MANY, "option_groups": array(OPTION_GROUP, 100)}
IDS = array(IDENTIFIER, 100)
AT_MOST = {"max_selected_items": integer(1, 100)}
DECIMAL = matching(r"-?\d+(\.\d+)?", "must be a number", most=50)

ELEMENTS: dict[str, Element] = {
    "button": element(
        "button",
        "section actions",
        {"text": plain_text(75)},
        {
            "url": URL,
            "value": string(2000),
            "style": one_of("primary", "danger"),
            "confirm": CONFIRM,
            "accessibility_label": string(75),
        },
    ),
    "checkboxes": element(
        "checkboxes",
        "section actions input",
        {"options": FEW},
        {"initial_options": FEW, "confirm": CONFIRM, "focus_on_load": boolean},
        unique_values,
        initial_among_options("initial_options"),
    ),
    "radio_buttons": element(
        "radio_buttons",
        "section actions input",
        {"options": FEW},
        {"initial_option": MARKED_OPTION, "confirm": CONFIRM, "focus_on_load": boolean},
        unique_values,
        initial_among_options("initial_option"),
    ),
    "overflow": element(
        "overflow",
        "section actions",
        {"options": array(LINKED_OPTION, 5)},
        {"confirm": CONFIRM},
        unique_values,
    ),
    "datepicker": selects("datepicker", {"initial_date": DATE}),
    "timepicker": selects("timepicker", {"initial_time": TIME, "timezone": string(255)}),
    "datetimepicker": in_modals(
        element(
            "datetimepicker",
            "actions input",
            {},
            {"initial_date_time": integer(10**9, 10**10 - 1), "confirm": CONFIRM, "focus_on_load": boolean},
        ),
        "message",
    ),
    "static_select": selects(
        "static_select",
        {**STATIC, "initial_option": OPTION},
        options_or_groups,
        unique_values,
        initial_among_options("initial_option"),
    ),
    "multi_static_select": selects(
        "multi_static_select",
        {**STATIC, **AT_MOST, "initial_options": MANY},
        options_or_groups,
        unique_values,
        initial_among_options("initial_options"),
    ),
    "external_select": selects(
        "external_select", {"initial_option": OPTION, "min_query_length": integer(0, 3000)}
    ),
    "multi_external_select": selects(
        "multi_external_select", {**AT_MOST, "initial_options": MANY, "min_query_length": integer(0, 3000)}
    ),
    "users_select": selects("users_select", {"initial_user": IDENTIFIER}),
    "multi_users_select": selects("multi_users_select", {**AT_MOST, "initial_users": IDS}),
    "channels_select": selects(
        "channels_select", {"initial_channel": IDENTIFIER, "response_url_enabled": boolean}
    ),
    "multi_channels_select": selects("multi_channels_select", {**AT_MOST, "initial_channels": IDS}),
    "conversations_select": selects(
        "conversations_select",
        {
            "initial_conversation": IDENTIFIER,
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": CONVERSATION_FILTER,
        },
    ),
    "multi_conversations_select": selects(
        "multi_conversations_select",
        {
            **AT_MOST,
            "initial_conversations": IDS,
            "default_to_current_conversation": boolean,
            "filter": CONVERSATION_FILTER,
        },
    ),
    "plain_text_input": text_input(
        "plain_text_input",
        {
            "initial_value": string(3000, least=0),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        },
        lengths_in_order,
    ),
    "email_text_input": in_modals(text_input("email_text_input", {"initial_value": string(3000)})),
    "url_text_input": in_modals(text_input("url_text_input", {"initial_value": WEB_URL})),
    "number_input": in_modals(
        element(
            "number_input",
            "input",
            {"is_decimal_allowed": boolean},
            {
                "initial_value": DECIMAL,
                "min_value": DECIMAL,
                "max_value": DECIMAL,
                "dispatch_action_config": DISPATCH_CONFIG,
                "focus_on_load": boolean,
                "placeholder": PLACEHOLDER,
            },
        )
    ),
    "rich_text_input": text_input("rich_text_input", {"initial_value": anything}),
    "file_input": in_modals(
        element("file_input", "input", {}, {"filetypes": array(string(50), 100), "max_files": integer(1, 10)})
    ),
    "image": Element(
        record(
            {"type": one_of("image"), "alt_text": string(2000)},
            {"image_url": WEB_URL, "slack_file": SLACK_FILE},
            image_has_source,
        ),
        frozenset({"section", "context"}),
    ),
}


def element_in(block: str) -> Check:
    """An element that this type of block takes, on the surface at hand."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add("must provide an object", at)
            return
        kind = value.get("type")
        known = ELEMENTS.get(kind) if isinstance(kind, str) else None
        if known is None or block not in known.blocks or problems.surface not in known.surfaces:
            problems.add(f"unsupported element type: {kind}", f"{at}/type")
        else:
            known.check(value, at, problems)

    return check
