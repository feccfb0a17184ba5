from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.sandbox.page.blocks import (
    actions,
    button,
    checkboxes,
    entry,
    modal,
    mrkdwn,
    option,
    plain,
    section,
    text_input,
)
from tests.sandbox.page.world import World

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
HOSTILE = '<img src=x onerror="window.hit=1"> <script>window.hit=1</script> </div>'


async def test_markup_in_every_field_stays_text(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(
        page,
        modal(
            {"type": "header", "text": plain(HOSTILE)},
            section(HOSTILE, fields=[plain(HOSTILE), mrkdwn(HOSTILE)]),
            {"type": "context", "elements": [mrkdwn(HOSTILE)]},
            actions(checkboxes([option("v", HOSTILE[:70], HOSTILE[:70])]), button(HOSTILE[:70], "b")),
            {
                "type": "rich_text",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": HOSTILE}]}],
            },
            entry(HOSTILE, text_input(initial_value=HOSTILE), hint=plain(HOSTILE)),
        ),
    )
    await expect(dialog.get_by_role("heading", name=HOSTILE)).to_be_visible()
    await expect(dialog.locator("img, script")).to_have_count(0)
    assert await page.evaluate("window.hit") is None


MRKDWN = (
    "*bold* _it_ ~gone~ `x < y` <https://pay.example.com/a?b=1&amp;c=2|Pay> <javascript:alert(1)|bad> &lt;b&gt; "
    ":white_check_mark: snake_case_name 2*3*4\n&gt; said\n```\npre *kept*\n```"
)


async def test_mrkdwn_becomes_elements_and_nothing_else(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(section(MRKDWN), submit=None))
    text = dialog.locator(".block-section .text")
    for tag, words in {
        "strong": "bold",
        "em": "it",
        "s": "gone",
        "code": "x < y",
        "blockquote": "said",
    }.items():
        await expect(text.locator(tag)).to_have_text(words)
    await expect(text.locator("pre")).to_have_text("pre *kept*")
    link = text.get_by_role("link")
    await expect(link).to_have_count(1)
    await expect(link).to_have_attribute("href", "https://pay.example.com/a?b=1&c=2")
    await expect(text).to_contain_text("<javascript:alert(1)|bad> <b> ✅ snake_case_name 2*3*4")


async def test_rich_text_shows_preformatted_lines_lists_and_styles(world: World) -> None:
    page = await world.at_desk()
    rich = {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_preformatted",
                "elements": [{"type": "text", "text": "INV-1\thttps://a.example"}],
            },
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [
                    {
                        "type": "rich_text_section",
                        "elements": [{"type": "text", "text": "strong", "style": {"bold": True}}],
                    }
                ],
            },
        ],
    }
    dialog = await world.show(page, modal(rich, submit=None))
    await expect(dialog.locator("pre")).to_have_text("INV-1\thttps://a.example", use_inner_text=True)
    await expect(dialog.get_by_role("listitem").locator("strong")).to_have_text("strong")
