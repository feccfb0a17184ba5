"""Whole views and messages against Slack's rules: what Slack itself would answer, as a list that is empty if all is well.

    check_view(view)        a modal or a Home tab, as given to views.open, push, update, publish and in acks
    check_home(view)        the same, and it must be a Home tab
    check_message(payload)  a message's text and blocks, as given to chat.postMessage, response_url and command acks
    check_options(answer)   what an app answers to a block_suggestion

Every message is of Slack's form "[ERROR] must be less than 76 characters [json-pointer:/view/blocks/0/text/text]".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sandbox.slack.blocks.checks import Check, Problems, array, boolean, one_of, record, string
from sandbox.slack.blocks.composition import OPTION, OPTION_GROUP, options_or_groups, plain_text
from sandbox.slack.blocks.layout import IN_HOME, IN_MESSAGE, IN_MODAL, characters
from sandbox.slack.state.model import Json

VIEW_BYTES = 250_000
VIEW_BLOCKS = 100
MESSAGE_BLOCKS = 50
MESSAGE_CHARACTERS = 13_200
"""All blocks of a message together; reported by users, not documented (docs/facts/slack.md, limits)."""

WORD = plain_text(24)
PRIVATE = {
    "private_metadata": string(3000, least=0),
    "callback_id": string(255, least=0),
    "external_id": string(255, least=0),
}


def elements_of(block: Json) -> list[tuple[str, Json]]:
    """A block's elements, each with its pointer inside the block."""
    found = [
        (f"/{name}", block[name]) for name in ("accessory", "element") if isinstance(block.get(name), dict)
    ]
    if block.get("type") == "actions" and isinstance(block.get("elements"), list):
        found += [
            (f"/elements/{n}", each) for n, each in enumerate(block["elements"]) if isinstance(each, dict)
        ]
    return found


def interactive(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every (block, element) of these blocks that has an action_id."""
    for block in blocks:
        for _, element in elements_of(block):
            if element["type"] != "image":
                yield block, element


def unique_ids(blocks: list[Any], at: str, problems: Problems) -> None:
    """Slack docs: block_id is unique in a view or message, action_id in its block, focus_on_load in a view."""
    seen: set[str] = set()
    focused = 0
    for number, block in enumerate(blocks):
        if not isinstance(block, dict):
            continue
        block_id = block.get("block_id")
        if isinstance(block_id, str):
            if block_id in seen:
                problems.add(f"block_id already exists: {block_id}", f"{at}/{number}/block_id")
            seen.add(block_id)
        actions: set[str] = set()
        for pointer, element in elements_of(block):
            focused += element.get("focus_on_load") is True
            action_id = element.get("action_id")
            if isinstance(action_id, str):
                if action_id in actions:
                    problems.add(
                        f"action_id already exists: {action_id}", f"{at}/{number}{pointer}/action_id"
                    )
                actions.add(action_id)
    if focused > 1:
        problems.add("only one element may have focus_on_load", at)


def inputs_need_submit(view: Json, at: str, problems: Problems) -> None:
    """Slack docs, view object: submit is required when an input block is within the blocks."""
    if "submit" not in view and any(block["type"] == "input" for block in view["blocks"]):
        problems.add("missing required field: submit", at)


MODAL: Check = record(
    {"type": one_of("modal"), "title": WORD, "blocks": array(IN_MODAL, VIEW_BLOCKS, least=0)},
    {"close": WORD, "submit": WORD, "clear_on_close": boolean, "notify_on_close": boolean, **PRIVATE},
    inputs_need_submit,
)
HOME: Check = record({"type": one_of("home"), "blocks": array(IN_HOME, VIEW_BLOCKS, least=0)}, PRIVATE)
OPTIONS: Check = record(
    {},
    {"options": array(OPTION, 100, least=0), "option_groups": array(OPTION_GROUP, 100, least=0)},
    options_or_groups,
)


def check_view(view: Any) -> list[str]:
    """What Slack would say of this view, whether a modal or a Home tab."""
    kind = view.get("type") if isinstance(view, dict) else None
    problems = Problems("home" if kind == "home" else "modal")
    (HOME if kind == "home" else MODAL)(view, "/view", problems)
    if isinstance(view, dict) and isinstance(view.get("blocks"), list):
        unique_ids(view["blocks"], "/view/blocks", problems)
        if weight(view) > VIEW_BYTES:
            problems.add(f"view is greater than {VIEW_BYTES // 1000}kb", "/view")
    return problems.found


def check_home(view: Any) -> list[str]:
    """What Slack would say of this view in views.publish."""
    if isinstance(view, dict) and view.get("type") != "home":
        return [f"[ERROR] unsupported type: {view.get('type')} [json-pointer:/view/type]"]
    return check_view(view)


def check_message(payload: Json) -> list[str]:
    """What Slack would say of a message's `text` and `blocks`."""
    problems = Problems("message")
    if not payload.get("text") and not payload.get("blocks") and not payload.get("attachments"):
        problems.add("no_text", "/text")
    string(40_000, least=0)(payload.get("text", ""), "/text", problems)
    blocks = payload.get("blocks", [])
    array(IN_MESSAGE, MESSAGE_BLOCKS, least=0)(blocks, "/blocks", problems)
    if isinstance(blocks, list):
        unique_ids(blocks, "/blocks", problems)
        if sum(isinstance(block, dict) and block.get("type") == "table" for block in blocks) > 1:
            problems.add("only one table block is allowed", "/blocks")
        if characters(blocks) > MESSAGE_CHARACTERS:
            problems.add("msg_blocks_too_long", "/blocks")
    return problems.found


def check_options(answer: Any) -> list[str]:
    """What is wrong with an answer to a block_suggestion (Slack docs: external data source select)."""
    problems = Problems("modal")
    OPTIONS(answer, "", problems)
    return problems.found


def weight(value: Any) -> int:
    """Bytes of a value as compact JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
