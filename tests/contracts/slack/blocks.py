"""Blocks at their limits, by the surfaces that take them."""

from __future__ import annotations

from typing import Any

from tests.contracts.slack.fixtures import (
    Json,
    button,
    field,
    mrkdwn,
    option,
    plain,
    section,
    text_field,
)

CONFIRM = {"title": plain("Sure?"), "text": mrkdwn("*Really*"), "confirm": plain("Yes"), "deny": plain("No")}
TEN = [option(str(number)) for number in range(10)]
HUNDRED = [option(str(number)) for number in range(100)]


def element(kind: str, **more: Any) -> Json:
    return {"type": kind, "action_id": "a", **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "block_id": "x", "elements": list(elements)}


def rich(*parts: Json) -> Json:
    return {"type": "rich_text", "elements": list(parts)}


def preformatted(*elements: Json) -> Json:
    return {"type": "rich_text_preformatted", "elements": list(elements)}


def text(words: str) -> Json:
    return {"type": "text", "text": words}


SELECTS = [
    element("static_select", options=HUNDRED, initial_option=HUNDRED[7], placeholder=plain("x" * 150)),
    element("static_select", option_groups=[{"label": plain("x" * 75), "options": TEN}]),
    element("external_select", min_query_length=1, initial_option=option("9")),
    element("users_select", initial_user="U1"),
    element("conversations_select", filter={"include": ["public"]}, default_to_current_conversation=True),
    element("channels_select"),
    element("multi_static_select", options=TEN, initial_options=TEN[:2], max_selected_items=3),
    element("multi_external_select", min_query_length=0),
    element("datepicker", initial_date="2026-02-28", confirm=CONFIRM),
    element("timepicker", initial_time="23:59"),
    element("checkboxes", options=[{**each, "description": plain("x" * 75)} for each in TEN]),
    element("radio_buttons", options=TEN, initial_option=TEN[3]),
]
EVERYWHERE = [
    section("x" * 3000),
    {"type": "section", "fields": [plain("x" * 2000), *[plain("x")] * 9]},
    {"type": "header", "text": plain("x" * 150)},
    {"type": "divider"},
    {
        "type": "context",
        "elements": [mrkdwn("x")] * 9 + [{"type": "image", "image_url": "https://x.io/a", "alt_text": "a"}],
    },
    actions(
        *(button(action_id=str(n), url="https://x.io", value="x" * 2000, style="danger") for n in range(25))
    ),
    actions(
        element("overflow", options=[{**each, "url": "https://x.io"} for each in TEN[:5]], confirm=CONFIRM)
    ),
    {"type": "image", "image_url": "https://x.io/a.png", "alt_text": "a", "title": plain("x")},
    rich(
        {
            "type": "rich_text_section",
            "elements": [{**text("b"), "style": {"bold": True}}, {"type": "user", "user_id": "U1"}],
        },
        {
            "type": "rich_text_list",
            "style": "bullet",
            "elements": [
                {"type": "rich_text_section", "elements": [{"type": "link", "url": "https://x.io"}]}
            ],
        },
        {**preformatted(text("INV-1\thttps://x.io")), "border": 0},
        {"type": "rich_text_quote", "elements": [{"type": "emoji", "name": "wave"}]},
    ),
    *(section(accessory=each) for each in [*SELECTS, button()]),
    *(actions(each) for each in SELECTS),
    *(field(each) for each in SELECTS),
    text_field(hint=plain("x" * 2000), optional=True, dispatch_action=True),
    field(
        element(
            "plain_text_input",
            multiline=True,
            min_length=1,
            max_length=3000,
            initial_value="x",
            focus_on_load=True,
        )
    ),
]
IN_MODALS = [
    field(element("email_text_input", initial_value="a@b.co")),
    field(element("url_text_input", initial_value="https://x.io/1", focus_on_load=True)),
    field(element("number_input", is_decimal_allowed=True, min_value="-1.5", initial_value="2")),
    field(element("file_input", filetypes=["csv"], max_files=1)),
    field(element("datetimepicker", initial_date_time=1_700_000_000)),
]
IN_MESSAGES = [
    {"type": "markdown", "text": "**x**"},
    {
        "type": "table",
        "rows": [
            [
                {"type": "raw_text", "text": "Number"},
                rich({"type": "rich_text_section", "elements": [text("x")]}),
            ]
        ]
        * 100,
        "column_settings": [None, {"align": "right", "is_wrapped": True}],
    },
]
