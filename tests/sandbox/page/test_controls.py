from __future__ import annotations

import pytest
from playwright.async_api import FilePayload, Locator, expect

from tests.sandbox.page.blocks import actions, entry, modal, option, plain, section, state, text_input
from tests.sandbox.page.world import World

# Quicker than any machine types: what is typed in one go is asked for once.
QUICKLY = """(box, text) => {
    for (const letter of text) {
        box.value += letter;
        box.dispatchEvent(new InputEvent("input", { bubbles: true, data: letter }));
    }
}"""
pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
FRUIT = [option("a", "Apple"), option("b", "Banana"), option("c", "Cherry", "Red")]


async def choose(dialog: Locator, name: str, typed: str, wanted: str) -> Locator:
    box = dialog.get_by_role("combobox", name=name, exact=True)
    await box.fill(typed)
    await dialog.get_by_role("option", name=wanted, exact=True).click()
    return box


async def test_a_select_narrows_as_one_types_and_takes_a_click(world: World) -> None:
    page = await world.at_desk()
    select = {
        "type": "static_select",
        "action_id": "fruit",
        "options": FRUIT,
        "placeholder": plain("Details"),
    }
    dialog = await world.show(page, modal(actions(select), submit=None))
    box = dialog.get_by_role("combobox", name="Details", exact=True)
    await box.fill("an")
    await expect(dialog.get_by_role("option")).to_have_text(["Banana"])
    await dialog.get_by_role("option", name="Banana").click()
    await expect(box).to_have_value("Banana")
    assert (await world.actions.get())["actions"][0]["selected_option"]["value"] == "b"


async def test_a_select_works_with_the_keyboard_alone(world: World) -> None:
    page = await world.at_desk()
    select = {"type": "static_select", "action_id": "fruit", "options": FRUIT, "initial_option": FRUIT[0]}
    dialog = await world.show(page, modal(entry("Fruit", select)))
    box = dialog.get_by_role("combobox", name="Fruit", exact=True)
    await box.focus()
    await page.keyboard.press("ArrowDown")
    await expect(box).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(box).to_have_value("Cherry")
    await expect(box).to_have_attribute("aria-expanded", "false")
    await dialog.get_by_role("button", name="Send it").click()
    body = await world.submissions.get()
    assert state(body, "entry", "fruit")["selected_option"]["value"] == "c"


async def test_escape_in_an_open_list_closes_the_list_alone(world: World) -> None:
    page = await world.at_desk()
    select = {"type": "static_select", "action_id": "fruit", "options": FRUIT, "initial_option": FRUIT[0]}
    dialog = await world.show(page, modal(entry("Fruit", select)))
    box = dialog.get_by_role("combobox", name="Fruit", exact=True)
    await box.fill("cher")
    await page.keyboard.press("Escape")
    await expect(dialog.get_by_role("listbox")).to_have_count(0)
    await expect(box).to_have_value("Apple")
    await expect(dialog).to_be_visible()


async def test_a_type_ahead_asks_the_app_from_its_least_length_on_and_submits_the_choice(
    world: World,
) -> None:
    page = await world.at_desk()
    world.options = [option("7", "INV-1007 Northwind"), option("8", "INV-1008 Al Noor", "KWD 1.500")]
    select = {"type": "external_select", "action_id": "find", "min_query_length": 2, "focus_on_load": True}
    dialog = await world.show(page, modal(entry("Search", select)))
    box = dialog.get_by_role("combobox", name="Search", exact=True)
    await expect(box).to_be_focused()
    await page.keyboard.type("n")
    await expect(dialog.get_by_text("Type at least 2 characters")).to_be_visible()
    await box.evaluate(QUICKLY, "or")
    await expect(dialog.get_by_role("option", name="INV-1008 Al Noor")).to_have_accessible_description(
        "KWD 1.500"
    )
    assert world.queries == ["nor"]
    await dialog.get_by_role("option", name="INV-1008 Al Noor").click()
    await expect(box).to_have_value("INV-1008 Al Noor")
    await dialog.get_by_role("button", name="Send it").click()
    assert state(await world.submissions.get(), "entry", "find")["selected_option"]["value"] == "8"


async def test_a_type_ahead_without_results_says_so(world: World) -> None:
    page = await world.at_desk()
    select = {"type": "external_select", "action_id": "find", "min_query_length": 1}
    dialog = await world.show(page, modal(entry("Search", select)))
    await dialog.get_by_role("combobox", name="Search").fill("zzz")
    await expect(dialog.get_by_text("No results")).to_be_visible()


async def test_several_choices_stand_as_chips_that_can_be_taken_away(world: World) -> None:
    page = await world.at_desk()
    select = {
        "type": "multi_static_select",
        "action_id": "fruit",
        "options": FRUIT,
        "initial_options": FRUIT[:1],
    }
    dialog = await world.show(page, modal(entry("Fruit", select)))
    await choose(dialog, "Fruit", "ban", "Banana")
    await choose(dialog, "Fruit", "che", "Cherry")
    await dialog.get_by_role("button", name="Remove Apple").click()
    await dialog.get_by_role("button", name="Send it").click()
    chosen = state(await world.submissions.get(), "entry", "fruit")["selected_options"]
    assert [each["value"] for each in chosen] == ["b", "c"]


async def test_enter_applies_a_text_that_dispatches_and_doesnt_submit_the_form(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(
        page, modal(entry("Search", text_input("q"), dispatch_action=True, optional=True))
    )
    box = dialog.get_by_label("Search", exact=True)
    await expect(box).to_have_accessible_description("Press Enter ↵")
    await box.press_sequentially("blue")
    assert world.actions.empty()
    await box.press("Enter")
    assert (await world.actions.get())["actions"][0]["value"] == "blue"
    assert world.submissions.empty()
    await expect(dialog).to_be_visible()


async def test_radio_buttons_dates_and_long_texts_are_submitted(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(
        page,
        modal(
            entry("Fruit", {"type": "radio_buttons", "action_id": "radio", "options": FRUIT}, "one"),
            entry("Day", {"type": "datepicker", "action_id": "day", "initial_date": "2026-03-01"}, "two"),
            entry("Words", text_input("words", multiline=True), "three", hint=plain("As many as you like")),
        ),
    )
    await dialog.get_by_role("radiogroup", name="Fruit").get_by_label("Cherry").check()
    await dialog.get_by_label("Day").fill("2026-04-02")
    words = dialog.get_by_label("Words")
    await expect(words).to_have_accessible_description("As many as you like")
    await words.press_sequentially("one\ntwo")
    await dialog.get_by_role("button", name="Send it").click()
    body = await world.submissions.get()
    assert state(body, "one", "radio")["selected_option"]["value"] == "c"
    assert state(body, "two", "day")["selected_date"] == "2026-04-02"
    assert state(body, "three", "words")["value"] == "one\ntwo"


async def test_an_overflow_menu_offers_its_options(world: World) -> None:
    page = await world.at_desk()
    overflow = {"type": "overflow", "action_id": "more", "options": FRUIT}
    dialog = await world.show(page, modal(section("Row", accessory=overflow), submit=None))
    await dialog.get_by_role("button", name="More actions").click()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    assert (await world.actions.get())["actions"][0]["selected_option"]["value"] == "b"


async def put_file(dialog: Locator, name: str, content: bytes) -> None:
    given = FilePayload(name=name, mimeType="application/octet-stream", buffer=content)
    await dialog.get_by_label("File", exact=True).set_input_files([given])


async def test_a_file_is_chosen_in_a_form(world: World) -> None:
    page = await world.at_desk()
    element = {"type": "file_input", "action_id": "f", "max_files": 1, "filetypes": ["csv"]}
    dialog = await world.show(page, modal(entry("File", element), submit="Send"))
    await put_file(dialog, "May <b>.csv", b"number\n")
    await expect(dialog.get_by_role("list", name="Chosen files")).to_contain_text("May <b>.csv")
    await dialog.get_by_role("button", name="Send").click()
    body = await world.submissions.get()
    [values] = body["view"]["state"]["values"].values()
    assert [(file["name"], file["size"]) for file in values["f"]["files"]] == [("May <b>.csv", 7)]


async def test_files_that_a_form_does_not_take(world: World) -> None:
    page = await world.at_desk()
    element = {"type": "file_input", "action_id": "f", "max_files": 1, "filetypes": ["csv"]}
    dialog = await world.show(page, modal(entry("File", element), submit="Send"))
    chosen = dialog.get_by_role("listitem")
    await put_file(dialog, "a.png", b"x")
    await expect(dialog.get_by_role("alert").filter(has_text="a.png is not of a type")).to_be_visible()
    await expect(chosen).to_have_count(0)
    await put_file(dialog, "a.csv", b"x")
    await dialog.get_by_role("button", name="Remove a.csv").click()
    await expect(chosen).to_have_count(0)
