"""What somebody who uses Slack expects of a conversation without being told."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from sandbox.slack.state.model import Message
from tests.sandbox.page.blocks import actions, button, modal, section
from tests.sandbox.page.world import World, send

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


def post(world: World, text: str, **more: Any) -> Message:
    """A message of the app's, with `more` of its fields."""
    message = world.workspace.team.app_message(world.billing, text, [], **more)
    world.workspace.team.post(message)
    return message


def articles(page: Page) -> Locator:
    return page.get_by_role("log", name="billing").get_by_role("article")


async def act(article: Locator, name: str) -> None:
    """Presses one of the buttons that a message shows under the pointer."""
    await article.hover()
    await article.get_by_role("toolbar", name="Actions").get_by_role("button", name=name).click()


async def test_what_one_author_says_within_minutes_stands_under_one_name(world: World) -> None:
    page = await world.open()
    first = post(world, "one")
    second = post(world, "two")
    await send(page, "three")
    await expect(articles(page)).to_have_count(3)
    await expect(page.locator(".author")).to_have_text(["Tester", "Ada Lovelace"])
    await expect(page.locator(".avatar")).to_have_count(2)
    # Readers that are told of each message by itself still hear whose it is.
    await expect(articles(page).nth(1)).to_contain_text("Tester")
    world.workspace.team.messages[world.billing].clear()
    second.ts = f"{float(first.ts) + 301:.6f}"
    world.workspace.team.messages[world.billing] += [first, second]
    await page.reload()
    await expect(page.locator(".author")).to_have_text(["Tester", "Tester"])


async def test_a_message_is_answered_in_its_thread(world: World) -> None:
    page = await world.open()
    post(world, "A refund")
    await act(articles(page), "Reply in thread")
    box = page.get_by_role("textbox", name="Reply")
    await expect(box).to_be_focused()
    await box.fill("I'll see to it")
    await box.press("Enter")
    await expect(page.get_by_role("log", name="Thread").get_by_role("article").last).to_contain_text(
        "I'll see to it"
    )
    await expect(articles(page)).to_have_count(1)
    await expect(articles(page).get_by_role("button", name="1 reply")).to_be_visible()
    await box.fill("/show details")
    await box.press("Enter")
    thread = page.get_by_role("log", name="Thread").get_by_role("article")
    await expect(thread.last).to_contain_text("/show is not supported in threads. Sorry!")
    await page.get_by_role("button", name="Close thread").click()


async def test_a_messages_link_leads_to_it(world: World) -> None:
    page = await world.open(permissions=["clipboard-read", "clipboard-write"])
    told = post(world, "A refund")
    reply = post(world, "Dealt with", thread_ts=told.ts)
    await act(articles(page), "Copy link")
    await expect(page.get_by_role("status").get_by_text("Copied")).to_be_visible()
    link = await page.evaluate("navigator.clipboard.readText()")
    assert link == f"{world.url}/?user=ada#{world.billing}/{told.ts}"
    await page.goto(f"{world.url}/?user=ada#{world.general}")
    await page.goto(link)
    await expect(page.locator("article.pointed")).to_contain_text("A refund")
    await page.goto(f"{world.url}/?user=ada#{world.billing}/{reply.ts}")
    await expect(page.get_by_role("log", name="Thread").locator(".pointed")).to_contain_text("Dealt with")


async def test_a_messages_words_are_copied_as_they_are_read(world: World) -> None:
    page = await world.open(permissions=["clipboard-read", "clipboard-write"])
    post(world, f"*Paid* by <@{world.ben}> &amp; sons")
    await act(articles(page), "Copy text")
    await expect(page.get_by_role("status").get_by_text("Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == "Paid by @Ben Okafor & sons"


async def test_what_is_pressed_in_a_message_is_not_covered_by_its_tools(world: World) -> None:
    page = await world.open()
    blocks = [section("Paid"), actions(button("View Invoice", "view"))]
    await world.client.chat_postMessage(channel=world.billing, text="Paid", blocks=blocks)
    await articles(page).hover()
    await expect(page.get_by_role("toolbar", name="Actions")).to_be_visible()
    await page.get_by_role("button", name="View Invoice").click()
    await world.actions.get()
    await expect(page.get_by_role("toolbar", name="Actions")).to_have_count(0)


async def test_messages_and_their_tools_are_reached_with_the_keyboard(world: World) -> None:
    page = await world.open()
    for text in ("one", "two", "three"):
        post(world, text)
    await expect(articles(page)).to_have_count(3)
    await page.get_by_role("textbox", name="Message").focus()
    await page.keyboard.press("Shift+Tab")
    while not await articles(page).last.evaluate("node => node === document.activeElement"):
        await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("ArrowUp")
    await expect(articles(page).nth(1)).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(articles(page).nth(1).get_by_role("button", name="Reply in thread")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Reply")).to_be_focused()


async def test_the_arrow_up_edits_ones_own_last_message(world: World) -> None:
    page, bens = await world.open(), await world.open(user="ben")
    await send(page, "Hello & <welcom>")
    await send(bens, "Hi")
    await expect(articles(page)).to_have_count(2)
    box = page.get_by_role("textbox", name="Message")
    await box.press("ArrowUp")
    await expect(box).to_have_value("Hello & <welcom>")
    await box.press("Escape")
    await expect(box).to_have_value("")
    await box.press("ArrowUp")
    await box.fill("Hello & <welcome>")
    await box.press("Enter")
    for tab in (page, bens):
        await expect(articles(tab).first).to_contain_text("Hello & <welcome>")
        await expect(articles(tab).first).to_contain_text("(edited)")
    await expect(articles(page)).to_have_count(2)
    await expect(box).to_have_value("")


async def test_nobody_edits_what_another_said(world: World) -> None:
    page = await world.open()
    message = await world.workspace.say(world.ben, world.billing, "Mine")
    await articles(page).hover()
    await expect(page.get_by_role("button", name="Copy text")).to_be_visible()
    await expect(page.get_by_role("button", name="Edit")).to_have_count(0)
    with pytest.raises(LookupError):
        world.workspace.edit(world.ada, world.billing, message.ts, "Not yours")
    assert message.text == "Mine"


@pytest.mark.parametrize("keys", ["Control+k", "Meta+k"])
async def test_a_conversation_is_reached_by_some_letters_of_its_name(world: World, keys: str) -> None:
    page = await world.open()
    await page.keyboard.press(keys)
    switcher = page.get_by_role("dialog", name="Jump to")
    await expect(switcher.get_by_role("option")).to_have_count(6)
    await page.keyboard.type("GEN")
    await expect(switcher.get_by_role("option")).to_have_text(["# general"])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="# general").first).to_be_visible()
    await expect(switcher).to_have_count(0)


async def test_a_shortcut_is_reached_by_its_name_and_escape_leaves_everything_as_it_was(world: World) -> None:
    page = await world.open()
    await page.get_by_role("button", name="Jump to").click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("button", name="Jump to")).to_be_focused()
    world.views["list"] = modal(section("hello"), title="The list")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("show l")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="The list")).to_be_visible()
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog")).to_have_count(1)


async def test_the_page_brings_its_own_font(world: World) -> None:
    page = await world.open()
    await page.evaluate("document.fonts.ready")
    assert await page.evaluate(
        "[...document.fonts].some((font) => font.family === 'Lato' && font.status === 'loaded')"
    )
