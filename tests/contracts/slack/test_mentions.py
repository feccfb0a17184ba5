"""What counts as live in a message: Slack's markup in mrkdwn and in the top-level text, never in plain text."""

from __future__ import annotations

import pytest

from sandbox.slack import live, pings
from tests.contracts.slack.fixtures import Json, home, modal, mrkdwn, plain, section

RICH = {
    "type": "rich_text",
    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "<!channel>"}]}],
}


@pytest.mark.parametrize(
    "text", ["<!channel>", "<!here|here>", "<@U012ABC>", "<!subteam^S1|@all>", "a <!everyone> b"]
)
def test_mentions_ping_in_text_and_mrkdwn(text: str) -> None:
    in_text, in_block = pings({"text": text}), pings({"text": "", "blocks": [section(text)]})
    assert len(in_text) == len(in_block) == 1
    assert (in_text[0].at, in_block[0].at) == ("/text", "/blocks/0/text/text")


@pytest.mark.parametrize(
    ("text", "kind"), [("<https://x.io|y>", "link"), ("see https://x.io", "link"), ("<#C012>", "channel")]
)
def test_links_are_live_and_ping_nobody(text: str, kind: str) -> None:
    assert [each.kind for each in live({"text": text})] == [kind]
    assert pings({"text": text}) == []


@pytest.mark.parametrize(
    "message",
    [
        {"text": "&lt;!channel&gt; &amp; co"},
        {"text": "x", "blocks": [{"type": "header", "text": plain("<!channel> https://x.io")}]},
        {"text": "x", "blocks": [RICH]},
        {
            "text": "x",
            "blocks": [{"type": "section", "text": {**mrkdwn("x https://x.io"), "verbatim": True}}],
        },
        {"text": "@channel and < !channel>"},
    ],
)
def test_escaped_plain_and_rich_texts_are_inert(message: Json) -> None:
    assert live(message) == []


def test_rich_text_is_live_where_it_says_so() -> None:
    element = {"type": "broadcast", "range": "channel"}
    block = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [element]}]}
    assert [each.kind for each in pings({"text": "x", "blocks": [block]})] == ["broadcast"]


def test_views_are_looked_through_too() -> None:
    assert len(pings(modal(section("<@U1>")))) == len(pings(home(section("<@U1>")))) == 1
