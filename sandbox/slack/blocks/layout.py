"""Layout blocks and the surfaces that take them (Slack docs: reference/block-kit/blocks; limits in docs/facts/slack.md).

Taken: section, header, context, divider, actions, input, image, rich_text everywhere; alert in modals; table, markdown in
messages.
Slack has others (video, call, file, cards, plans); an app that needs one gets a rule here first.
"""

from __future__ import annotations

from typing import Any

from sandbox.slack.blocks.checks import (
    Check,
    Problems,
    Rule,
    anything,
    array,
    boolean,
    one_of,
    record,
    string,
    typed,
    units,
)
from sandbox.slack.blocks.composition import SLACK_FILE, WEB_URL, any_text, plain_text
from sandbox.slack.blocks.elements import IDENTIFIER, element_in, image_has_source
from sandbox.slack.blocks.rich_text import RICH_TEXT_PROPERTIES
from sandbox.slack.state.model import Json

TABLE_CHARACTERS = 10_000


def block(
    kind: str, required: dict[str, Check], optional: dict[str, Check] | None = None, *rules: Rule
) -> Check:
    return record({"type": one_of(kind), **required}, {"block_id": IDENTIFIER, **(optional or {})}, *rules)


def section_says_something(value: Json, at: str, problems: Problems) -> None:
    if "text" not in value and "fields" not in value:
        problems.add("missing required field: text", at)


def context_element(value: Any, at: str, problems: Problems) -> None:
    image = isinstance(value, dict) and value.get("type") == "image"
    (element_in("context") if image else any_text(3000))(value, at, problems)


def focus_in_a_form(value: Json, at: str, problems: Problems) -> None:
    """Slack docs, conversations_select: response_url_enabled is for inputs in modals."""
    if value["element"].get("response_url_enabled") and problems.surface != "modal":
        problems.add("response_url_enabled works in modals only", f"{at}/element")


def characters(value: Any) -> int:
    """The text that a block carries, in characters, markup and all."""
    if isinstance(value, dict):
        own = units(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(characters(each) for each in value.values())
    if isinstance(value, list):
        return sum(characters(each) for each in value)
    return 0


def table_is_small(value: Json, at: str, problems: Problems) -> None:
    if characters(value["rows"]) > TABLE_CHARACTERS:
        problems.add(f"must be less than {TABLE_CHARACTERS + 1} characters", f"{at}/rows")
    if len({len(row) for row in value["rows"]}) > 1:
        problems.add("all rows must have the same number of cells", f"{at}/rows")


CELL = typed(
    {
        "raw_text": record({"type": one_of("raw_text"), "text": string(TABLE_CHARACTERS)}),
        "rich_text": record({"type": one_of("rich_text"), **RICH_TEXT_PROPERTIES}),
    },
    "cell type",
)


def nullable(check: Check) -> Check:
    return lambda value, at, problems: None if value is None else check(value, at, problems)


COLUMN = nullable(record({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean}))

BLOCKS: dict[str, Check] = {
    "section": block(
        "section",
        {},
        {
            "text": any_text(3000),
            "fields": array(any_text(2000), 10),
            "accessory": element_in("section"),
            "expand": boolean,
        },
        section_says_something,
    ),
    "header": block("header", {"text": plain_text(150)}),
    "divider": block("divider", {}),
    "context": block("context", {"elements": array(context_element, 10)}),
    "actions": block("actions", {"elements": array(element_in("actions"), 25)}),
    "input": block(
        "input",
        {"label": plain_text(2000), "element": element_in("input")},
        {"hint": plain_text(2000), "optional": boolean, "dispatch_action": boolean},
        focus_in_a_form,
    ),
    "image": block(
        "image",
        {"alt_text": string(2000)},
        {"image_url": WEB_URL, "slack_file": SLACK_FILE, "title": plain_text(2000)},
        image_has_source,
    ),
    "rich_text": block("rich_text", RICH_TEXT_PROPERTIES),
}
LEVEL = one_of("default", "info", "warning", "error", "success")
# Modals alone take these (Slack docs: reference/block-kit/blocks, alert block; docs/facts/slack.md, newer blocks).
MODAL_BLOCKS: dict[str, Check] = {
    **BLOCKS,
    "alert": block("alert", {"text": any_text(200)}, {"level": LEVEL}),
}
MESSAGE_BLOCKS: dict[str, Check] = {
    **BLOCKS,
    "markdown": block("markdown", {"text": string(12_000)}),
    "table": block(
        "table",
        {"rows": array(array(CELL, 20), 100)},
        {"column_settings": array(COLUMN, 20)},
        table_is_small,
    ),
}

IN_MODAL = typed(MODAL_BLOCKS, "block type")
IN_HOME = typed(BLOCKS, "block type")
IN_MESSAGE = typed(MESSAGE_BLOCKS, "block type")
LISTED = array(anything, 10**6, least=0)
