"""The demo's page can be used by everybody: axe finds nothing in what it shows, light or dark, wide or narrow."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Literal

import pytest
from playwright.async_api import Page, expect

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
from tests.sandbox.page.world import World, send

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
NARROW = {"width": 390, "height": 760}
CHOICES = [option("usd", "US dollars", "The most usual"), option("eur", "Euros")]
FORM = modal(
    {"type": "alert", "level": "warning", "text": mrkdwn("*Test mode*: no money moves")},
    {"type": "header", "text": plain("INV-1001")},
    section("*Due* <https://example.com|tomorrow>", fields=[mrkdwn("Buyer"), mrkdwn("`Northwind`")]),
    {"type": "context", "elements": [mrkdwn("Last checked a minute ago")]},
    {"type": "divider"},
    actions(button("Create", "create", style="primary"), button("Delete", "delete", style="danger")),
    entry("Name", text_input(placeholder=plain("As it is written")), "name", hint=plain("Once only")),
    entry("Reason", text_input("reason", multiline=True), "reason", optional=True),
    entry("Search", text_input("search"), "search", dispatch_action=True),
    entry("Currency", {"type": "static_select", "action_id": "currency", "options": CHOICES}, "currency"),
    entry("Kind", {"type": "radio_buttons", "action_id": "kind", "options": CHOICES}, "kind"),
    entry("Invoices", checkboxes(CHOICES), "invoices"),
    entry("Day", {"type": "datepicker", "action_id": "day"}, "day"),
    entry("File", {"type": "file_input", "action_id": "file"}, "file"),
)


async def findings(page: Page) -> list[str]:
    """What axe has to say, one line for each rule and element; text contrast of 4.5 is among its rules."""
    await page.evaluate(f"window.axe || (() => {{ {AXE} }})()")
    # What fades in has its colours once it is there.
    await page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null)))")
    result: dict[str, Any] = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]


async def furnish(world: World) -> None:
    """Messages of every kind in #billing, one of them unread elsewhere."""
    blocks = [section("🟢 *Paid*: INV-1001", accessory=button("View Invoice", "view"))]
    told = await world.client.chat_postMessage(channel=world.billing, text="Paid", blocks=blocks)
    await world.client.chat_postMessage(
        channel=world.billing, text=f"`Late` <@{world.ada}>", thread_ts=told["ts"]
    )
    await world.client.chat_update(channel=world.billing, ts=told["ts"], text="Paid", blocks=blocks)
    await world.workspace.say(world.ben, world.billing, "Seen")
    await world.client.chat_postMessage(channel=world.general, text="Unread")


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_axe_finds_nothing_in_a_conversation_with_its_thread(world: World, scheme: Scheme) -> None:
    page = await world.open(color_scheme=scheme)
    await furnish(world)
    await send(page, "/whisper psst")
    await page.get_by_role("button", name="1 reply").click()
    await page.get_by_role("log", name="billing").get_by_role("article").nth(1).hover()
    await expect(page.get_by_role("toolbar", name="Actions")).to_be_visible()
    assert await findings(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_axe_finds_nothing_in_a_modal_and_its_errors(world: World, scheme: Scheme) -> None:
    page = await world.open(color_scheme=scheme)
    world.answer = {"response_action": "errors", "errors": {"name": "It has that name already."}}
    dialog = await world.show(page, FORM)
    assert await findings(page) == []
    await dialog.get_by_label("Name").fill("Northwind")
    await dialog.get_by_role("button", name="Send it").click()
    await expect(dialog.get_by_role("alert").first).not_to_be_empty()
    await dialog.get_by_role("combobox", name="Currency").click()
    await expect(dialog.get_by_role("option").first).to_be_visible()
    assert await findings(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_axe_finds_nothing_in_home_and_in_what_opens_by_keys(world: World, scheme: Scheme) -> None:
    world.home = {"type": "home", "blocks": FORM["blocks"][1:6]}
    page = await world.open(color_scheme=scheme, place="home")
    await expect(page.get_by_role("button", name="Create")).to_be_visible()
    assert await findings(page) == []
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await findings(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Shortcuts").click()
    await expect(page.get_by_role("menu")).to_be_visible()
    assert await findings(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="# billing").click()
    await page.get_by_role("textbox", name="Message").press_sequentially("/sh")
    await expect(page.get_by_role("listbox", name="Commands")).to_be_visible()
    assert await findings(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_axe_finds_nothing_on_a_telephone_and_nothing_lies_beside_it(
    world: World, scheme: Scheme
) -> None:
    page = await world.open(color_scheme=scheme)
    await page.set_viewport_size({"width": 390, "height": 760})
    await furnish(world)

    async def fits() -> None:
        assert await findings(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        for part in await page.locator("[data-scroll]").all():
            assert await part.evaluate("node => node.scrollWidth <= node.clientWidth")

    await fits()
    await page.get_by_role("button", name="1 reply").click()
    await fits()
    await page.get_by_role("button", name="Close thread").click()
    await page.get_by_role("button", name="Conversations").click()
    await fits()
    await page.get_by_role("link", name="# billing").click()
    await world.show(page, FORM)
    await fits()
