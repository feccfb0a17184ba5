from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.sandbox.page.blocks import actions, button, entry, modal, mrkdwn, plain, section, state, text_input
from tests.sandbox.page.world import A_MOMENT, World, send

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_modal_is_a_dialog_named_by_its_title_with_the_views_own_buttons(world: World) -> None:
    page = await world.at_desk()
    await world.show(page, modal(section("hello"), title="Billing invoice", submit="Create", close="Not now"))
    dialog = page.get_by_role("dialog", name="Billing invoice", exact=True)
    await expect(dialog).to_have_attribute("aria-modal", "true")
    await expect(dialog.get_by_role("button", name="Create", exact=True)).to_be_visible()
    await expect(dialog.get_by_role("button", name="Not now", exact=True)).to_be_visible()


async def test_a_submission_carries_what_was_typed_and_closes_the_modal(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(entry("Name", text_input())))
    await dialog.get_by_label("Name", exact=True).fill("Grace")
    await dialog.get_by_role("button", name="Send it").click()
    await expect(dialog).to_have_count(0)
    body = world.submissions.get_nowait()
    assert state(body, "entry", "text")["value"] == "Grace"


async def test_enter_in_a_one_line_input_submits(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(entry("Name", text_input(focus_on_load=True))))
    await expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    await page.keyboard.type("Grace")
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    assert state(world.submissions.get_nowait(), "entry", "text")["value"] == "Grace"


async def test_the_apps_errors_stand_at_their_inputs_and_describe_them(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(entry("Name", text_input())))
    world.answer = {"response_action": "errors", "errors": {"entry": "That name is taken."}}
    box = dialog.get_by_label("Name", exact=True)
    await box.fill("Grace")
    await dialog.get_by_role("button", name="Send it").click()
    await expect(box).to_have_accessible_description("That name is taken.")
    await expect(box).to_be_focused()
    await expect(box).to_have_attribute("aria-invalid", "true")
    await box.fill("Grace H")
    await expect(dialog.get_by_text("That name is taken.")).to_have_count(0)


async def test_a_required_input_that_is_empty_is_refused_before_the_app_sees_it(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(entry("Name", text_input())))
    await dialog.get_by_role("button", name="Send it").click()
    await expect(dialog.get_by_role("alert").filter(has_text="required")).to_be_visible()
    assert world.submissions.empty()


async def test_a_submission_that_is_not_acknowledged_says_so_and_can_be_repeated(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(section("hello")))
    world.answer = None
    send_it = dialog.get_by_role("button", name="Send it")
    await send_it.click()
    await expect(send_it).to_have_attribute("aria-busy", "true")
    await world.submissions.get()
    world.slack.sockets.give_up()
    await expect(dialog.get_by_text("We had some trouble connecting. Try again?")).to_be_visible()
    world.answer = {}
    await send_it.click()
    await expect(dialog).to_have_count(0)


async def test_a_second_click_while_a_submission_is_under_way_sends_nothing(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(section("hello")))
    world.answer = None
    send_it = dialog.get_by_role("button", name="Send it")
    await send_it.click(click_count=2)
    await world.submissions.get()
    world.slack.sockets.give_up()
    await expect(dialog.get_by_text("We had some trouble connecting.")).to_be_visible()
    assert world.submissions.empty()


async def test_a_pushed_view_lies_on_the_one_below_and_closing_it_goes_back(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(entry("Name", text_input(), optional=True), title="Below"))
    await dialog.get_by_label("Name").fill("kept")
    world.answer = {"response_action": "push", "view": modal(section("on top"), title="Above", close="Back")}
    await dialog.get_by_role("button", name="Send it").click()
    await expect(page.get_by_role("dialog", name="Above")).to_be_visible()
    await page.get_by_role("button", name="Back", exact=True).click()
    await expect(page.get_by_role("dialog", name="Below")).to_be_visible()
    await expect(dialog.get_by_label("Name")).to_have_value("kept")


@pytest.mark.parametrize("leave", ["Previous view", "Dismiss"])
async def test_the_arrow_goes_one_view_back_and_the_cross_closes_them_all(world: World, leave: str) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(section("first"), title="Below"))
    world.answer = {"response_action": "push", "view": modal(section("second"), title="Above")}
    await dialog.get_by_role("button", name="Send it").click()
    await page.get_by_role("dialog", name="Above").get_by_role("button", name=leave).click()
    if leave == "Dismiss":
        await expect(dialog).to_have_count(0)
    else:
        await expect(page.get_by_role("dialog", name="Below")).to_be_visible()
    assert len(world.workspace.views(world.ada)) == (0 if leave == "Dismiss" else 1)


async def test_escape_closes_an_unchanged_modal_at_once(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(entry("Name", text_input(initial_value="as it was"))))
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_escape_asks_first_when_something_was_entered(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(entry("Name", text_input())))
    await dialog.get_by_label("Name").fill("Grace")
    await page.keyboard.press("Escape")
    question = page.get_by_role("alertdialog", name="Are you sure you want to leave?")
    await question.get_by_role("button", name="Stay").click()
    await expect(dialog.get_by_label("Name")).to_have_value("Grace")
    await page.keyboard.press("Escape")
    await question.get_by_role("button", name="Leave").click()
    await expect(dialog).to_have_count(0)


async def test_escape_works_after_an_update_took_away_the_button_that_had_the_focus(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(section("asking")))
    world.answer = {"response_action": "update", "view": modal(section("done"), submit=None)}
    await dialog.get_by_role("button", name="Send it").click()
    await expect(dialog.get_by_text("done")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_nothing_is_asked_after_an_entry_was_taken_back(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(entry("Name", text_input(initial_value="as it was"))))
    await dialog.get_by_label("Name").fill("other")
    await dialog.get_by_label("Name").fill("as it was")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_tab_stays_in_the_dialog(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(entry("Name", text_input())))
    for _ in range(9):
        await page.keyboard.press("Tab")
        assert await dialog.evaluate("dialog => dialog.contains(document.activeElement)")
    for _ in range(9):
        await page.keyboard.press("Shift+Tab")
        assert await dialog.evaluate("dialog => dialog.contains(document.activeElement)")


async def test_a_prefilled_url_that_asks_for_focus_is_selected_ready_to_be_copied(world: World) -> None:
    page = await world.at_desk()
    url = "https://pay.example.com/abc"
    element = text_input("url", "url_text_input", initial_value=url, focus_on_load=True)
    dialog = await world.show(page, modal(entry("Payment link URL", element), submit="Done"))
    box = dialog.get_by_label("Payment link URL", exact=True)
    await expect(box).to_be_focused()
    assert await box.evaluate("box => box.value.slice(box.selectionStart, box.selectionEnd)") == url


async def test_the_message_box_has_the_focus_again_when_the_modal_is_gone(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(section("hello")))
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()


async def test_an_update_keeps_what_was_entered_and_shows_what_changed(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(entry("Name", text_input()), section("before", block_id="words")))
    box = dialog.get_by_label("Name")
    await box.press_sequentially("Grace")
    await world.top_update(
        modal(entry("Name", text_input(initial_value="ignored")), section("after", block_id="words"))
    )
    await expect(dialog.get_by_text("after")).to_be_visible()
    await expect(box).to_have_value("Grace")
    await expect(box).to_be_focused()


async def test_a_new_block_id_starts_from_its_initial_value(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(entry("Name", text_input())))
    await dialog.get_by_label("Name").fill("Grace")
    await world.top_update(modal(entry("Name", text_input(initial_value="fresh"), block_id="entry-2")))
    await expect(dialog.get_by_label("Name")).to_have_value("fresh")


async def test_a_button_asks_its_confirmation_first(world: World) -> None:
    page = await world.at_desk()
    confirm = {
        "title": plain("Really?"),
        "text": mrkdwn("It *can't* be undone."),
        "confirm": plain("Do it"),
        "deny": plain("No"),
    }
    dialog = await world.show(page, modal(actions(button("Go", "go", confirm=confirm)), submit=None))
    question = page.get_by_role("alertdialog", name="Really?")
    await dialog.get_by_role("button", name="Go").click()
    await expect(question).to_have_accessible_description("It can't be undone.")
    await question.get_by_role("button", name="No").click()
    await expect(question).to_have_count(0)
    assert world.actions.empty()
    await dialog.get_by_role("button", name="Go").click()
    await question.get_by_role("button", name="Do it").click()
    assert (await world.actions.get())["actions"][0]["action_id"] == "go"


async def test_a_link_button_opens_a_new_tab_and_tells_the_app(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(
        page, modal(actions(button("Open Link", "open", url=f"{world.url}/static/icon.svg")), submit=None)
    )
    async with page.context.expect_page() as opening:
        await dialog.get_by_role("button", name="Open Link").click()
    tab = await opening.value
    assert tab.url.endswith("icon.svg")
    assert (await world.actions.get())["actions"][0]["action_id"] == "open"


async def test_an_action_that_is_not_acknowledged_leaves_a_sentence_beside_its_button(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(actions(button("Go", "unacknowledged")), submit=None))
    world.slack.limits.ack_seconds = A_MOMENT
    await dialog.get_by_role("button", name="Go").click()
    await expect(dialog.get_by_role("alert").filter(has_text="not responding")).to_be_visible()


async def test_another_tab_of_the_same_person_shows_the_same_modal(world: World) -> None:
    page = await world.at_desk()
    await world.show(page, modal(section("hello"), title="Shared"))
    other = await world.open()
    await expect(other.get_by_role("dialog", name="Shared")).to_be_visible()
    bens = await world.open(user="ben")
    await expect(bens.get_by_role("dialog")).to_have_count(0)
    await other.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_modal_of_today_survives_a_reload_of_the_page(world: World) -> None:
    page = await world.at_desk()
    dialog = await world.show(page, modal(entry("Name", text_input()), title="Still here"))
    await dialog.get_by_label("Name").fill("Grace")
    await page.reload()
    await expect(page.get_by_role("dialog", name="Still here").get_by_label("Name")).to_have_value("Grace")


async def test_a_command_opens_its_modal_in_front_of_whoever_typed_it(world: World) -> None:
    page = await world.at_desk()
    world.views["it"] = modal(section("hello"), title="By Ben")
    bens = await world.open(user="ben")
    await send(bens, "/show it")
    await expect(bens.get_by_role("dialog", name="By Ben")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)
