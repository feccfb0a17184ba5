"""Block Kit's rules: what every surface takes, and each limit refused one step beyond it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from slack_sdk.models.views import View as SdkView

from sandbox.slack import check_home, check_message, check_view
from sandbox.slack.blocks.surfaces import check_options
from tests.contracts.slack.blocks import (
    CONFIRM,
    EVERYWHERE,
    HUNDRED,
    IN_MESSAGES,
    IN_MODALS,
    TEN,
    actions,
    element,
    preformatted,
    rich,
    text,
)
from tests.contracts.slack.fixtures import (
    Json,
    button,
    field,
    home,
    modal,
    mrkdwn,
    option,
    plain,
    section,
    text_field,
)


@pytest.mark.parametrize("block", EVERYWHERE, ids=lambda block: str(block["type"]))
def test_every_surface_takes_the_block_at_its_limits(block: Json) -> None:
    assert (
        check_view(modal(block))
        == check_home(home(block))
        == check_message({"text": "x", "blocks": [block]})
        == []
    )


@pytest.mark.parametrize("block", IN_MODALS, ids=lambda block: str(block["element"]["type"]))
def test_some_inputs_belong_to_modals(block: Json) -> None:
    kind = block["element"]["type"]
    assert check_view(modal(block)) == []
    assert check_home(home(block)) == [
        f"[ERROR] unsupported element type: {kind} [json-pointer:/view/blocks/0/element/type]"
    ]


@pytest.mark.parametrize("block", IN_MESSAGES, ids=lambda block: str(block["type"]))
def test_some_blocks_belong_to_messages(block: Json) -> None:
    assert check_message({"text": "x", "blocks": [block]}) == []
    assert check_view(modal(block)) == [
        f"[ERROR] unsupported block type: {block['type']} [json-pointer:/view/blocks/0/type]"
    ]


BEYOND = [
    (section(""), "must be more than 0 characters [json-pointer:/view/blocks/0/text/text]"),
    (section("x" * 3001), "must be less than 3001 characters"),
    ({"type": "section"}, "missing required field: text"),
    ({"type": "section", "fields": [plain("x")] * 11}, "no more than 10 items allowed"),
    ({"type": "section", "fields": [plain("x" * 2001)]}, "must be less than 2001 characters"),
    ({"type": "header", "text": plain("x" * 151)}, "must be less than 151 characters"),
    ({"type": "header", "text": mrkdwn("x")}, "unsupported type: mrkdwn"),
    ({"type": "header", "text": "x"}, "must provide an object"),
    ({"type": "context", "elements": [plain("x")] * 11}, "no more than 10 items allowed"),
    ({"type": "context", "elements": []}, "no fewer than 1 items allowed"),
    ({"type": "context", "elements": [button()]}, "unsupported type: button"),
    (actions(*(button(action_id=str(n)) for n in range(26))), "no more than 25 items allowed"),
    (actions(button("x" * 76)), "must be less than 76 characters"),
    (actions(button(value="x" * 2001)), "must be less than 2001 characters"),
    (actions(button(url="https://" + "x" * 3000)), "must be less than 3001 characters"),
    (actions(button(url="not a url")), "must be a valid URL"),
    (actions(button(style="default")), "must be a valid enum value"),
    (actions(button(), button()), "action_id already exists: go"),
    (actions(button(action_id="x" * 256)), "must be less than 256 characters"),
    (actions(button(colour="red")), "invalid additional property: colour"),
    (actions(button(confirm={**CONFIRM, "title": plain("x" * 101)})), "must be less than 101 characters"),
    (actions(button(confirm={**CONFIRM, "text": plain("x" * 301)})), "must be less than 301 characters"),
    (actions(button(confirm={**CONFIRM, "deny": plain("x" * 31)})), "must be less than 31 characters"),
    (actions(element("plain_text_input")), "unsupported element type: plain_text_input"),
    (field(button()), "unsupported element type: button"),
    (section(accessory=element("datetimepicker")), "unsupported element type: datetimepicker"),
    (field(element("checkboxes", options=HUNDRED[:11])), "no more than 10 items allowed"),
    (field(element("radio_buttons", options=HUNDRED[:11])), "no more than 10 items allowed"),
    (field(element("static_select", options=[*HUNDRED, option("x")])), "no more than 100 items allowed"),
    (field(element("static_select")), "must have either options or option_groups"),
    (field(element("static_select", options=[option("1", "x" * 76)])), "must be less than 76 characters"),
    (field(element("static_select", options=[option("x" * 151)])), "must be less than 151 characters"),
    (field(element("checkboxes", options=[option("1"), option("1")])), "option values must be unique"),
    (
        field(element("checkboxes", options=[{**option("1"), "description": plain("x" * 76)}])),
        "must be less than 76 characters",
    ),
    (
        field(
            element(
                "checkboxes",
                options=[{**option("1"), "description": plain("d")}],
                initial_options=[option("1")],
            )
        ),
        "must match one of the options exactly",
    ),
    (field(element("checkboxes", options=TEN, initial_options=[])), "no fewer than 1 items allowed"),
    (
        field(element("radio_buttons", options=TEN, initial_option=option("11"))),
        "must match one of the options",
    ),
    (field(element("plain_text_input", placeholder=plain("x" * 151))), "must be less than 151 characters"),
    (
        field(element("plain_text_input", max_length=3, initial_value="four")),
        "must be less than 4 characters",
    ),
    (
        field(element("plain_text_input", max_length=3, initial_value="\U0001f355" * 2)),
        "must be less than 4 characters",
    ),
    (
        field(element("static_select", options=[{"text": plain("\U0001f355" * 38), "value": "1"}])),
        "must be less than 76 characters",
    ),
    (
        field(element("plain_text_input", dispatch_action_config={"trigger_actions_on": ["blur"]})),
        "valid enum value",
    ),
    (field(element("url_text_input", initial_value="ftp://x")), "must be a valid URL"),
    (field(element("number_input")), "missing required field: is_decimal_allowed"),
    (field(element("datepicker", initial_date="2026-13-01")), "must be a valid date"),
    (text_field(label=plain("x" * 2001)), "must be less than 2001 characters"),
    (text_field(label=mrkdwn("x")), "unsupported type: mrkdwn"),
    (text_field(block_id="x" * 256), "must be less than 256 characters"),
    ({"type": "image", "image_url": "https://x.io/a"}, "missing required field: alt_text"),
    (rich(preformatted(text(""))), "must be more than 0 characters"),
    (rich(preformatted({"type": "user", "user_id": "U1"})), "unsupported element type: user"),
    (
        rich({"type": "rich_text_list", "style": "bullet", "elements": [text("x")]}),
        "must be a valid enum value",
    ),
    (rich(), "no fewer than 1 items allowed"),
    ({"type": "video"}, "unsupported block type: video"),
    ({"type": "alert", "text": plain("x" * 201)}, "must be less than 201 characters"),
    ({"type": "alert", "text": plain("x"), "level": "danger"}, "must be a valid enum value"),
    ({"type": ["section"]}, "unsupported block type"),
    ("section", "must provide an object"),
    (None, "must provide an object"),
]


@pytest.mark.parametrize(("block", "complaint"), BEYOND, ids=[each[1][:40] for each in BEYOND])
def test_a_block_beyond_a_limit_is_refused(block: Any, complaint: str) -> None:
    found = check_view(modal(block))
    assert any(complaint in each for each in found), found


@pytest.mark.parametrize(
    ("view", "complaint"),
    [
        (modal(title=plain("x" * 25)), "[json-pointer:/view/title/text]"),
        (modal(submit=False, close=plain("x" * 25)), "[json-pointer:/view/close/text]"),
        (modal(text_field(), submit=False), "missing required field: submit"),
        (modal(private_metadata="x" * 3001), "must be less than 3001 characters"),
        (modal(callback_id="x" * 256), "must be less than 256 characters"),
        (modal(*[section()] * 101), "no more than 100 items allowed [json-pointer:/view/blocks]"),
        (modal(section(block_id="b"), section(block_id="b")), "block_id already exists: b"),
        (modal(colour="red"), "invalid additional property: colour"),
        (modal(submit=False, title=None), "must provide an object"),
        ({"type": "modal"}, "missing required field: title"),
        ({**home(), "submit": plain("x")}, "invalid additional property: submit"),
        (home(*[section()] * 101), "no more than 100 items allowed"),
        (home({"type": "alert", "text": plain("x")}), "unsupported block type: alert"),
        (
            modal(*(field(element("plain_text_input", focus_on_load=True), each) for each in "ab")),
            "only one element may have focus_on_load",
        ),
        ([], "must provide an object"),
    ],
)
def test_a_view_beyond_a_limit_is_refused(view: Any, complaint: str) -> None:
    found = check_view(view)
    assert any(complaint in each for each in found), found


def test_home_takes_no_modal() -> None:
    assert check_home(modal()) == ["[ERROR] unsupported type: modal [json-pointer:/view/type]"]


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        ({}, "no_text"),
        ({"blocks": [section()] * 51}, "no more than 50 items allowed"),
        ({"blocks": [IN_MESSAGES[1], IN_MESSAGES[1]]}, "only one table block is allowed"),
        ({"blocks": [section("x" * 2700)] * 5}, "msg_blocks_too_long"),
        (
            {"blocks": [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]] * 101}]},
            "no more than 100 items",
        ),
        (
            {"blocks": [{"type": "table", "rows": [[{"type": "raw_text", "text": "x" * 101}] * 10] * 10}]},
            "10001 char",
        ),
    ],
)
def test_a_message_beyond_a_limit_is_refused(payload: Json, complaint: str) -> None:
    found = check_message(payload)
    assert any(complaint in each for each in found), found


def test_options_come_in_a_list_or_in_groups_of_a_hundred_at_most() -> None:
    assert check_options({"options": HUNDRED}) == check_options({"options": []}) == []
    assert check_options({"option_groups": [{"label": plain("x"), "options": TEN}]}) == []
    assert check_options({"options": [*HUNDRED, option("x")]})
    assert check_options({})
    assert check_options(None)


def test_the_official_models_take_what_the_rules_take() -> None:
    """A cross-check: a view that passes here passes slack_sdk's own, looser validation."""
    blocks = [copy.deepcopy(block) for block in [*EVERYWHERE, *IN_MODALS]]
    for number, block in enumerate(blocks):
        block["block_id"] = str(number)
        for each in (block.get("element"), block.get("accessory")):
            if each:
                each.pop("focus_on_load", None)
    view = modal(*blocks[:100])
    assert check_view(view) == []
    SdkView(**view).to_dict()
