"""The few Block Kit pieces that Paylink's views are made of (Slack docs: reference/block-kit; docs/facts/slack.md, limits)."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from handlers.words.text import Mentioning, escaped, fit, length, packed

Json = dict[str, Any]

BLOCKS_OF_VIEW = 100
HEADER_MOST = 150
_PAYMENT = re.compile(r"(?:pi|ch|py)_[A-Za-z0-9_]+")
_GROUP = 2_800
"""Characters of one block of lines, under the 3,000 that a section takes."""


def plain(text: str) -> Json:
    """Text that takes no markup and no emoji codes: the only way in for customers' text."""
    return {"type": "plain_text", "text": text, "emoji": False}


def header(text: str) -> Json:
    return {"type": "header", "text": plain(text)}


def section(text: str, *, accessory: Json | None = None, block_id: str | None = None) -> Json:
    """A paragraph of plain text, cut to Slack's 3,000 characters."""
    block: Json = {"type": "section", "text": plain(fit(text, 3000))}
    if accessory is not None:
        block["accessory"] = accessory
    return _named(block, block_id)


def caption(text: str) -> Json:
    """A paragraph in bold. Only for Paylink's own words."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": f"*{text}*", "verbatim": True}}


def fields(labelled: Sequence[tuple[str, str]]) -> Json:
    """Up to ten labelled values in two columns, each label on a line of its own."""
    return {
        "type": "section",
        "fields": [plain(f"{label}\n{fit(value, 1900 - length(label))}") for label, value in labelled],
    }


def own_field(label: str, value: str) -> Json:
    """One of a section's fields whose value is Paylink's own: times, people and links of Slack's."""
    return {"type": "mrkdwn", "text": f"{label}\n{value}", "verbatim": True}


def in_dashboard(payment: str | None, *, livemode: bool) -> str:
    """A payment of Stripe's as a link to its page in Stripe's Dashboard (Stripe docs: dashboard, payments)."""
    if payment is None:
        return "—"
    if not _PAYMENT.fullmatch(payment):
        return escaped(payment)
    return f"<https://dashboard.stripe.com/{'' if livemode else 'test/'}payments/{payment}|{payment}>"


def context(text: str, *, block_id: str | None = None) -> Json:
    """Small plain text."""
    return _named({"type": "context", "elements": [plain(fit(text, 2900))]}, block_id)


def small(texts: Iterable[str], *, block_id: str) -> Json:
    """Small plain texts side by side, ten at most."""
    return {"type": "context", "block_id": block_id, "elements": [plain(text) for text in texts]}


def moment_context(before: str, moment: datetime, after: str = "") -> Json:
    """Small text with a time in the reader's own zone. Only for Paylink's own words."""
    return markup_context(f"{before} {slack_time(moment)}{after}")


def markup_context(text: str) -> Json:
    """Small text with times and people in it. Whatever isn't our own in it is escaped."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def slack_time(moment: datetime) -> str:
    """A time that Slack's clients write in the reader's zone (Slack docs: formatting text, date formatting)."""
    stamp = int(moment.timestamp())
    return f"<!date^{stamp}^{{date_short_pretty}} {{time}}|{utc(moment)}>"


def utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def divider() -> Json:
    return {"type": "divider"}


def actions(elements: Sequence[Json], *, block_id: str) -> Json:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def button(text: str, action_id: str, value: str | None = None, *, primary: bool = False) -> Json:
    element: Json = {"type": "button", "text": plain(text), "action_id": action_id}
    if value is not None:
        element["value"] = value
    if primary:
        element["style"] = "primary"
    return element


def url_button(text: str, action_id: str, url: str) -> Json:
    return button(text, action_id) | {"url": url}


def option(text: str, value: str, description: str | None = None) -> Json:
    """An option whose text, value and description are within 75, 150 and 75 characters."""
    made: Json = {"text": plain(text), "value": value}
    if description is not None:
        made["description"] = plain(description)
    return made


def static_select(
    action_id: str, placeholder: str, options: Sequence[Json], initial: Json | None = None
) -> Json:
    element: Json = {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain(placeholder),
        "options": list(options),
    }
    if initial is not None:
        element["initial_option"] = initial
    return element


def field(
    label: str,
    element: Json,
    *,
    block_id: str,
    hint: str | None = None,
    optional: bool = True,
    dispatch: bool = False,
) -> Json:
    """An input block; only what ``dispatch``es sends block_actions."""
    block: Json = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": element,
        "optional": optional,
    }
    if dispatch:
        block["dispatch_action"] = True
    if hint is not None:
        block["hint"] = plain(hint)
    return block


def bullets(lines: Iterable[str]) -> list[Json]:
    """Lines of any number as bulleted lists of inert text, a few blocks at most (28 lines of 100 characters a block)."""
    return [
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_list", "style": "bullet", "elements": [_rich(line) for line in group]}
            ],
        }
        for group in packed(lines, _GROUP)
    ]


def preformatted(lines: Iterable[str]) -> list[Json]:
    """Lines that people copy as they stand."""
    return [
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "\n".join(group)}]}
            ],
        }
        for group in packed(lines, _GROUP)
    ]


def paragraph(bold: str, rest: str) -> Json:
    """A bold word of ours followed by inert text."""
    elements: list[Json] = [
        {"type": "text", "text": bold, "style": {"bold": True}},
        {"type": "text", "text": rest},
    ]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def alert(text: str, level: str = "warning") -> Json:
    """A notice of at most 200 characters, in modals alone. Older clients show nothing of it (docs/facts/slack.md)."""
    return {"type": "alert", "text": plain(fit(text, 200)), "level": level}


def said(words: str, *, before: str = "", block_id: str | None = None) -> Json:
    """A paragraph of Paylink's words for people, with the people whom they mention."""
    if not isinstance(words, Mentioning):
        return section(f"{before}{words}", block_id=block_id)
    text = {"type": "mrkdwn", "text": f"{before}{words.marked}", "verbatim": True}
    return _named({"type": "section", "text": text}, block_id)


def notice(words: str) -> Json:
    """What just happened, at the top of a view."""
    return said(words, before="⚠ ", block_id="notice")


def modal(
    title: str,
    blocks: Sequence[Json],
    *,
    callback_id: str,
    submit: str | None = None,
    close: str = "Close",
    private_metadata: str = "",
) -> Json:
    view: Json = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title),
        "close": plain(close),
        "blocks": list(blocks),
        "private_metadata": private_metadata,
    }
    if submit is not None:
        view["submit"] = plain(submit)
    return view


def _rich(line: str) -> Json:
    return {"type": "rich_text_section", "elements": [{"type": "text", "text": line}]}


def _named(block: Json, block_id: str | None) -> Json:
    return block if block_id is None else block | {"block_id": block_id}
