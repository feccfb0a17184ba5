"""Block Kit, as short as the tests of the page want it."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


# ---- Block Kit, as short as tests want it --------------------------------------------------------------------------


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def option(value: str, text: str | None = None, description: str | None = None) -> Json:
    about = {"description": plain(description)} if description else {}
    return {"text": plain(text or value), "value": value, **about}


def button(text: str, action_id: str, **more: Any) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(text), **more}


def section(text: str, **more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def actions(*elements: Json, block_id: str = "actions") -> Json:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def entry(label: str, element: Json, block_id: str = "entry", **more: Any) -> Json:
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": element, **more}


def text_input(action_id: str = "text", kind: str = "plain_text_input", **more: Any) -> Json:
    return {"type": kind, "action_id": action_id, **more}


def checkboxes(options: list[Json], action_id: str = "ticks", **more: Any) -> Json:
    return {"type": "checkboxes", "action_id": action_id, "options": options, **more}


def modal(*blocks: Json, title: str = "A view", submit: str | None = "Send it", close: str = "Close") -> Json:
    given = {"submit": plain(submit)} if submit else {}
    return {"type": "modal", "title": plain(title), "close": plain(close), "blocks": list(blocks), **given}


def state(body: Json, block_id: str, action_id: str) -> Json:
    """One element's state in a payload that the app got."""
    found: Json = body["view"]["state"]["values"][block_id][action_id]
    return found
