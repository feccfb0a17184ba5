"""Rich text with all its nested parts (Slack docs: reference/block-kit/blocks/rich-text-block)."""

from __future__ import annotations

from sandbox.slack.blocks.checks import (
    Check,
    array,
    boolean,
    integer,
    matching,
    one_of,
    record,
    string,
    typed,
)
from sandbox.slack.blocks.composition import URL

STYLE = record({}, dict.fromkeys(("bold", "italic", "strike", "underline", "code"), boolean))
MENTION_STYLE = record(
    {},
    dict.fromkeys(("bold", "italic", "strike", "highlight", "client_highlight", "unlink", "code"), boolean),
)
IDENTIFIER = string(255)


def part(kind: str, required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    return record({"type": one_of(kind), **required}, optional)


TEXT = part("text", {"text": string(40_000)}, {"style": STYLE})
LINK = part("link", {"url": URL}, {"text": string(40_000), "unsafe": boolean, "style": STYLE})
INLINE = typed(
    {
        "text": TEXT,
        "link": LINK,
        "emoji": part(
            "emoji",
            {"name": string(255)},
            {"unicode": string(255), "skin_tone": integer(1, 6), "style": MENTION_STYLE},
        ),
        "user": part("user", {"user_id": IDENTIFIER}, {"style": MENTION_STYLE}),
        "usergroup": part("usergroup", {"usergroup_id": IDENTIFIER}, {"style": MENTION_STYLE}),
        "channel": part("channel", {"channel_id": IDENTIFIER}, {"style": MENTION_STYLE}),
        "team": part("team", {"team_id": IDENTIFIER}, {"style": MENTION_STYLE}),
        "broadcast": part(
            "broadcast", {"range": one_of("here", "channel", "everyone")}, {"style": MENTION_STYLE}
        ),
        "date": part(
            "date",
            {"timestamp": integer(0, 10**11), "format": string(255)},
            {"url": URL, "fallback": string(255), "style": STYLE},
        ),
        "color": part("color", {"value": matching(r"#[0-9A-Fa-f]{6}", "must be a valid colour")}),
    },
    "element type",
)
BORDER = one_of(0, 1)
SECTION = part("rich_text_section", {"elements": array(INLINE, 10_000, least=0)})
PARTS = typed(
    {
        "rich_text_section": SECTION,
        "rich_text_list": part(
            "rich_text_list",
            {"style": one_of("bullet", "ordered"), "elements": array(SECTION, 10_000)},
            {"indent": integer(0, 8), "offset": integer(0, 10**6), "border": BORDER},
        ),
        "rich_text_preformatted": part(
            "rich_text_preformatted",
            {"elements": array(typed({"text": TEXT, "link": LINK}, "element type"), 10_000)},
            {"border": BORDER, "language": string(255)},
        ),
        "rich_text_quote": part("rich_text_quote", {"elements": array(INLINE, 10_000)}, {"border": BORDER}),
    },
    "element type",
)
RICH_TEXT_PROPERTIES: dict[str, Check] = {"elements": array(PARTS, 10_000)}
