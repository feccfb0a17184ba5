from __future__ import annotations

import aiohttp
import pytest
from playwright.async_api import expect

from tests.sandbox.page.blocks import modal, section
from tests.sandbox.page.world import World, send

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


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
