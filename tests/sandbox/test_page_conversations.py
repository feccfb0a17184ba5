from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.sandbox.page_world import A_MOMENT, HINTS, World, actions, button, modal, page_world, section, send

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[World]:
    async with page_world() as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def world(running: World) -> AsyncIterator[World]:
    yield running
    await running.clear()


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


async def test_another_person_is_chosen_without_reloading_and_stays_chosen_after_it(world: World) -> None:
    page = await world.open()
    await page.get_by_role("combobox", name="You are").select_option(label="Ben Okafor")
    await send(page, "from Ben")
    await expect(page.get_by_role("article")).to_contain_text("Ben Okafor")
    await page.reload()
    await expect(page.get_by_role("combobox", name="You are")).to_have_value(world.ben)


async def test_the_page_says_that_it_is_local_and_speaks_to_nobody_else(world: World) -> None:
    page = await world.open()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.reload()
    await expect(page.get_by_text("Local: nothing leaves this machine")).to_be_visible()
    assert asked
    assert all(url.startswith(world.url) for url in asked)


async def test_nothing_in_the_page_offends_its_own_content_security_policy(world: World) -> None:
    page = await world.open()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    await send(page, "/sh")
    dialog = await world.show(page, modal(section("hello")))
    await expect(dialog).to_be_visible()
    assert said == []
    policy = (await page.request.get(world.url)).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy


async def test_a_narrow_window_hides_the_navigation_behind_a_button(world: World) -> None:
    page = await world.open(viewport={"width": 1000, "height": 700})
    await page.set_viewport_size({"width": 420, "height": 700})
    link = page.get_by_role("link", name="# general")
    await expect(link).to_be_hidden()
    await page.get_by_role("button", name="Conversations").click()
    await link.click()
    await expect(page.get_by_role("heading", name="# general").first).to_be_visible()
    await expect(link).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 420


async def test_a_lost_line_is_told_and_mended_and_what_happened_meanwhile_is_there(world: World) -> None:
    page = await world.open()
    port = await world.stop_serving()
    await expect(page.get_by_text("The workspace can't be reached.")).to_be_visible()
    await world.client.chat_postMessage(channel=world.billing, text="meanwhile")
    await world.serve(port)
    await expect(page.get_by_role("article")).to_contain_text("meanwhile")
    await expect(page.get_by_text("The workspace can't be reached.")).to_be_hidden()


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
async def test_another_site_can_not_act_for_people(world: World, origin: str) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{world.url}/socket", origin=origin)
    assert refused.value.status == 403


@pytest.mark.parametrize(
    "sent",
    ["no json", "[]", "{}", '{"op": "fly"}', '{"op": "submit", "view": 7}', '{"op": "submit", "view": "V0"}'],
)
async def test_nonsense_on_the_socket_is_answered_and_the_line_stays(world: World, sent: str) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{world.url}/socket") as socket:
        assert (await socket.receive_json())["event"] == "hello"
        await socket.send_str(sent)
        answer = await socket.receive_json()
        if answer.get("event") == "views":
            answer = await socket.receive_json()
        assert answer["ok"] is False
        await socket.send_json({"id": 5, "op": "say", "channel": world.billing, "text": "still here"})
        answers = [await socket.receive_json() for _ in range(2)]
        assert {"re": 5, "ok": True} in [{"re": each.get("re"), "ok": each.get("ok")} for each in answers]


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
