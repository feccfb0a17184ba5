from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from tests.sandbox.page.blocks import actions, button, modal, section
from tests.sandbox.page.world import A_MOMENT, HINTS, World, send

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_home_channels_and_the_apps_direct_messages_stand_in_the_navigation(world: World) -> None:
    page = await world.at_desk()
    links = page.get_by_role("navigation").get_by_role("link")
    await expect(links).to_have_count(4)
    for name in ("Home", "# billing", "# general", "Tester"):
        await expect(links.and_(page.get_by_role("link", name=name, exact=True))).to_have_count(1)
    await expect(page.get_by_role("link", name="# billing")).to_have_attribute("aria-current", "page")


async def test_a_message_reaches_everybody_in_the_channel_and_enter_sent_it(world: World) -> None:
    page, bens = await world.open(), await world.open(user="ben")
    await send(page, "Hello <b>all</b> & *everybody*")
    article = bens.get_by_role("log").get_by_role("article")
    await expect(article).to_contain_text("Ada Lovelace")
    await expect(article).to_contain_text("Hello <b>all</b> & everybody")
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("")


async def test_shift_and_enter_make_a_new_line(world: World) -> None:
    page = await world.at_desk()
    box = page.get_by_role("textbox", name="Message")
    await box.press_sequentially("one")
    await box.press("Shift+Enter")
    await box.press_sequentially("two")
    await expect(box).to_have_value("one\ntwo")
    assert world.workspace.messages(world.billing) == []


async def test_the_arrow_up_brings_back_what_was_sent_last(world: World) -> None:
    page = await world.at_desk()
    await send(page, "/whisper again")
    box = page.get_by_role("textbox", name="Message")
    await box.press("ArrowUp")
    await expect(box).to_have_value("/whisper again")


async def test_a_slash_offers_the_manifests_commands_and_tab_completes(world: World) -> None:
    page = await world.at_desk()
    box = page.get_by_role("textbox", name="Message")
    await box.press_sequentially("/sh")
    offered = page.get_by_role("listbox", name="Commands").get_by_role("option")
    await expect(offered).to_have_text(["/show [name]Opens a view", "/showcaseDoes the same, but longer"])
    await box.press("ArrowDown")
    await box.press("Tab")
    await expect(box).to_have_value("/showcase ")
    await expect(box).to_be_focused()


async def test_enter_completes_a_part_of_a_command_and_sends_a_whole_one(world: World) -> None:
    page = await world.open()
    box = page.get_by_role("textbox", name="Message")
    await box.press_sequentially("/whi")
    await box.press("Enter")
    await expect(box).to_have_value("/whisper ")
    await box.press_sequentially("psst")
    await box.press("Enter")
    await expect(page.get_by_role("article")).to_contain_text("psst")


async def test_an_unknown_command_and_one_that_is_not_acknowledged_are_explained_to_their_person_alone(
    world: World,
) -> None:
    page, bens = await world.open(), await world.open(user="ben")
    world.slack.limits.ack_seconds = A_MOMENT
    await send(page, "/nothing")
    await send(page, "/silent")
    articles = page.get_by_role("article")
    await expect(articles).to_have_count(2)
    await expect(articles.first).to_contain_text("Only visible to you")
    await expect(articles.first).to_contain_text("/nothing is not a valid command")
    await expect(articles.last).to_contain_text("/silent failed")
    await expect(bens.get_by_role("article")).to_have_count(0)


async def test_an_answer_to_one_person_is_marked_and_not_shown_to_others(world: World) -> None:
    page, bens = await world.open(), await world.open(user="ben")
    await send(page, "/whisper a secret")
    await expect(page.get_by_role("article")).to_contain_text("Only visible to you")
    await expect(page.get_by_role("article")).to_contain_text("a secret")
    await expect(bens.get_by_role("article")).to_have_count(0)


async def test_a_message_elsewhere_is_counted_and_announced_until_it_is_read(world: World) -> None:
    page = await world.open(place=world.general)
    await world.client.chat_postMessage(channel=world.billing, text="*Paid* INV-1001")
    link = page.get_by_role("link", name="# billing", exact=True)
    await expect(link).to_have_accessible_description("1 unread")
    toast = page.get_by_role("status").get_by_role("button")
    await expect(toast).to_have_text("Tester in # billingPaid INV-1001")
    await toast.click()
    await expect(toast).to_have_count(0)
    await expect(page.get_by_role("log").get_by_role("article")).to_contain_text("Paid INV-1001")
    await expect(link).to_have_accessible_description("")


async def test_the_unread_count_survives_a_reload(world: World) -> None:
    page = await world.open(place=world.general)
    await world.client.chat_postMessage(channel=world.billing, text="one")
    link = page.get_by_role("link", name="# billing", exact=True)
    await expect(link).to_have_accessible_description("1 unread")
    await page.reload()
    await expect(link).to_have_accessible_description("1 unread")


async def test_the_first_direct_message_appears_under_the_apps_name(world: World) -> None:
    page = await world.open(user="ben")
    await world.client.chat_postMessage(channel=world.ben, text="For Ben")
    link = page.get_by_role("link", name="Tester", exact=True)
    await expect(link).to_have_accessible_description("1 unread")
    await link.click()
    await expect(page.get_by_role("heading", name="Tester").first).to_be_visible()
    await expect(page.get_by_role("log").get_by_role("article")).to_contain_text("For Ben")


async def test_a_message_is_changed_in_place_and_deleted(world: World) -> None:
    page = await world.open()
    posted = await world.client.chat_postMessage(channel=world.billing, text="first")
    article = page.get_by_role("log").get_by_role("article")
    await expect(article).to_contain_text("first")
    await world.client.chat_update(channel=world.billing, ts=posted["ts"], text="second")
    await expect(article).to_contain_text("second")
    await expect(article).to_contain_text("(edited)")
    await world.client.chat_delete(channel=world.billing, ts=posted["ts"])
    await expect(article).to_have_count(0)


async def test_a_button_in_a_message_tells_the_app_who_pressed_it_where(world: World) -> None:
    page = await world.open(user="ben")
    blocks = [section("Paid"), actions(button("View Invoice", "view", value="INV-1001"))]
    posted = await world.client.chat_postMessage(channel=world.billing, text="Paid", blocks=blocks)
    await page.get_by_role("log").get_by_role("button", name="View Invoice").click()
    body = await world.actions.get()
    assert (body["user"]["id"], body["message"]["ts"]) == (world.ben, posted["ts"])
    assert body["actions"][0]["value"] == "INV-1001"


async def test_a_file_in_a_message_can_be_downloaded_as_it_was_uploaded(world: World) -> None:
    page = await world.open()
    dm = (await world.client.conversations_open(users=world.ada))["channel"]["id"]
    await world.client.files_upload_v2(channel=dm, filename="bulk run.csv", content="number\nINV-1\n")
    await page.get_by_role("link", name="Tester", exact=True).click()
    article = page.get_by_role("log").get_by_role("article")
    await expect(article).to_contain_text("bulk run.csv")
    async with page.expect_download() as waiting:
        await article.get_by_role("link", name="Download").click()
    download = await waiting.value
    assert download.suggested_filename == "bulk run.csv"
    assert (await download.path()).read_text() == "number\nINV-1\n"


async def test_home_is_shown_when_it_is_opened_and_follows_what_the_app_publishes(world: World) -> None:
    page = await world.open()
    world.home = {"type": "home", "blocks": [section("Paid: 1"), actions(button("Find Invoice", "find"))]}
    await page.get_by_role("link", name="Home", exact=True).click()
    await expect(page.get_by_text("Paid: 1")).to_be_visible()
    await page.get_by_role("button", name="Find Invoice").click()
    assert (await world.actions.get())["view"]["type"] == "home"
    await world.client.views_publish(user_id=world.ada, view={"type": "home", "blocks": [section("Paid: 2")]})
    await expect(page.get_by_text("Paid: 2")).to_be_visible()


async def test_the_global_shortcuts_stand_in_a_menu_and_work_with_the_keyboard(world: World) -> None:
    page = await world.at_desk()
    world.views["list"] = modal(section("hello"), title="The list")
    await page.get_by_role("button", name="Shortcuts").click()
    items = page.get_by_role("menu", name="Shortcuts").get_by_role("menuitem")
    await expect(items).to_have_count(2)
    await expect(page.get_by_role("menuitem", name="Show Details", exact=True)).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="The list")).to_be_visible()


async def test_things_to_try_fill_the_message_box_and_each_stays_until_it_was_tried(world: World) -> None:
    page = await world.open()
    hints = page.get_by_role("group", name="Things to try")
    await world.client.chat_postMessage(channel=world.billing, text="hello")
    await hints.get_by_role("button", name=HINTS[1]).click()
    box = page.get_by_role("textbox", name="Message")
    await expect(box).to_have_value(HINTS[1])
    await expect(box).to_be_focused()
    world.views["list"] = modal(section("hello"))
    await box.press("Enter")
    await expect(hints.get_by_role("button", name=HINTS[1])).to_have_count(0)
    await page.reload()
    await expect(hints.get_by_role("button", name=HINTS[0])).to_be_visible()
    await expect(hints.get_by_role("button", name=HINTS[1])).to_have_count(0)


async def test_things_to_try_can_be_put_away_for_good(world: World) -> None:
    page = await world.open()
    hints = page.get_by_role("group", name="Things to try")
    await hints.get_by_role("button", name="Hide these").click()
    await expect(hints).to_have_count(0)
    await page.reload()
    await expect(page.get_by_role("heading", name="# billing").first).to_be_visible()
    await expect(hints).to_have_count(0)


async def test_replies_stand_in_a_thread_that_opens_beside_the_channel(world: World) -> None:
    page = await world.open()
    team = world.workspace.team

    def post(text: str, **more: Any) -> str:
        message = team.app_message(world.billing, text, [], **more)
        team.post(message)
        return message.ts

    told = post("A refund")
    post("Dealt with", thread_ts=told)
    post("It failed", thread_ts=told, broadcast=True)
    channel = page.get_by_role("log", name="billing")
    await expect(channel.get_by_role("article")).to_have_count(2)
    await expect(channel.get_by_role("article").last).to_contain_text("It failed")
    thread = page.get_by_role("log", name="Thread")
    await expect(thread).to_have_count(0)
    await channel.get_by_role("button", name="2 replies").click()
    await expect(thread.get_by_role("article")).to_have_count(3)
    await expect(thread.get_by_role("article").nth(1)).to_contain_text("Dealt with")
    await page.get_by_role("button", name="Close thread").click()
    await expect(thread).to_have_count(0)
    await channel.get_by_role("button", name="Replied to a thread").click()
    await expect(thread.get_by_role("article")).to_have_count(3)
    post("More", thread_ts=told)
    await expect(thread.get_by_role("article").last).to_contain_text("More")
    await expect(channel.get_by_role("button", name="3 replies")).to_be_visible()
    await page.get_by_role("button", name="Close thread").click()
