"""What Slack would make live in a message or view: mentions that ping, and links. For tests that hostile texts are inert."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.slack.state.model import Json, Message, View

MARKUP = re.compile(r"<([^<>\n]+)>")
KINDS = (
    (re.compile(r"!(channel|here|everyone)(\||$)"), "broadcast"),
    (re.compile(r"!subteam\^\w+"), "usergroup"),
    (re.compile(r"!date\^"), "date"),
    (re.compile(r"@[UW]\w+"), "user"),
    (re.compile(r"#C\w+"), "channel"),
    (re.compile(r"(?i)(https?|mailto|tel|slack|ftp):"), "link"),
)
BARE_URL = re.compile(r"(?i)(?<![\w<|])https?://[^\s<>|]+")
RICH = {
    "user": "user_id",
    "channel": "channel_id",
    "usergroup": "usergroup_id",
    "broadcast": "range",
    "link": "url",
    "date": "timestamp",
}


@dataclass(frozen=True)
class Live:
    """Something that isn't mere text: `kind` is broadcast, user, usergroup, channel, date or link; `at` a JSON pointer."""

    kind: str
    value: str
    at: str

    @property
    def pings(self) -> bool:
        return self.kind in ("broadcast", "user", "usergroup")


def live(shown: Message | View | Json) -> list[Live]:
    """Everything live in a message (its top-level text, which Slack parses as mrkdwn, and its blocks) or a view.

    Slack docs: messaging/formatting-message-text. Plain text is never live; mrkdwn is, and bare URLs in it become links
    unless `verbatim`; rich text is live only where it says so by an element of its own (user, broadcast, link, ...).
    """
    given = shown if isinstance(shown, dict) else shown.as_json()
    found = list(_in_mrkdwn(given["text"], "/text")) if isinstance(given.get("text"), str) else []
    for name in ("blocks", "attachments", "title", "submit", "close"):
        found += _walk(given.get(name), f"/{name}")
    return found


def pings(shown: Message | View | Json) -> list[Live]:
    """What would notify somebody: mentions of people, groups, or the whole channel."""
    return [each for each in live(shown) if each.pings]


def _walk(value: Any, at: str) -> Iterator[Live]:
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _walk(each, f"{at}/{number}")
    elif isinstance(value, dict):
        kind = value.get("type")
        if kind == "mrkdwn":
            yield from _in_mrkdwn(value["text"], f"{at}/text", verbatim=value.get("verbatim", False))
        elif kind in RICH and RICH[kind] in value:
            yield Live(kind, str(value[RICH[kind]]), at)
        else:
            for name, each in value.items():
                yield from _walk(each, f"{at}/{name}")


def _in_mrkdwn(text: str, at: str, *, verbatim: bool = False) -> Iterator[Live]:
    for marked in MARKUP.findall(text):
        for pattern, kind in KINDS:
            if pattern.match(marked):
                yield Live(kind, marked, at)
                break
    if not verbatim:
        for url in BARE_URL.findall(MARKUP.sub(" ", text)):
            yield Live("link", url, at)
