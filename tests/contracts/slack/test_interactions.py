"""What people do reaches an official Bolt app, over Socket Mode and over HTTP alike, as Slack sends it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox.slack.interactions.showing import filled
from tests.contracts.slack.fixtures import (
    A_MOMENT,
    Ack,
    Running,
    button,
    field,
    home,
    make_running,
    modal,
    option,
    plain,
    section,
    text_field,
)


@pytest.fixture(params=["socket", "http"])
async def run(request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    async with make_running(request.param) as made:
        yield made


# ---- commands, shortcuts, Home ----------------------------------------------------------------------------------------


async def test_a_command_carries_what_was_typed_and_its_answer_is_seen_by_one_person(run: Running) -> None:
    run.answer = "Found it"
    outcome = await run.work.command(run.ann, run.general, "/show INV-1  again")
    [body] = run.got
    assert (body["command"], body["text"], body["user_id"]) == ("/show", "INV-1  again", run.ann)
    assert outcome.ok
    assert outcome.milliseconds > 0
    [message] = run.work.messages(run.general, seen_by=run.ann)
    assert (message.text, message.ephemeral_to) == ("Found it", run.ann)


async def test_a_commands_answer_that_slack_would_not_show_is_an_error(run: Running) -> None:
    run.answer = {"text": "x", "blocks": [section("")]}
    assert (await run.work.command(run.ann, run.general, "/show")).error == "invalid_blocks"


async def test_commands_that_do_not_exist_or_stand_in_threads_are_never_sent(run: Running) -> None:
    unknown = await run.work.command(run.ann, run.general, "/sing")
    threaded = await run.work.command(run.ann, run.general, "/show", thread_ts="1.000001")
    assert (unknown.error, threaded.error) == ("unknown_command", "not_in_thread")
    assert run.got == []


async def test_a_commands_trigger_opens_a_modal_in_the_world_of_that_person(run: Running) -> None:
    await run.work.command(run.ann, run.general, "/show")
    await run.client.views_open(trigger_id=run.got[0]["trigger_id"], view=modal())
    assert run.work.top(run.ann).user == run.ann


async def test_a_shortcut_is_sent_by_its_callback_id(run: Running) -> None:
    assert (await run.work.global_shortcut(run.ann, "show")).acked
    assert (run.got[0]["type"], run.got[0]["user"]["id"]) == ("shortcut", run.ann)
    assert (await run.work.global_shortcut(run.ann, "hide")).error == "unknown_shortcut"


async def test_opening_home_tells_the_app_and_then_shows_what_it_published(run: Running) -> None:
    assert (await run.work.open_home(run.ann)).acked
    await run.client.views_publish(user_id=run.ann, view=home({"type": "actions", "elements": [button()]}))
    shown = run.work.home(run.ann)
    assert shown is not None
    await run.work.press(run.ann, shown.id, "Go")
    opened, clicked = run.got
    assert (opened["event"]["tab"], opened["event"]["user"]) == ("home", run.ann)
    assert clicked["container"] == {"type": "view", "view_id": shown.id}


# ---- what isn't acknowledged ------------------------------------------------------------------------------------------


async def test_an_app_that_does_not_answer_in_time_shows_a_warning(run: Running) -> None:
    @run.app.command("/late")
    async def never(ack: Ack) -> None:
        return None

    run.slack.limits.ack_seconds = A_MOMENT
    outcome = await run.work.command(run.ann, run.general, "/late")
    assert (outcome.acked, outcome.error) == (False, "operation_timeout")
    assert outcome.shown == "/late failed because the app did not respond."


async def test_an_action_that_nobody_listens_to_is_not_acknowledged(run: Running) -> None:
    view_id = await run.open({"type": "actions", "elements": [button(action_id="unheard")]})
    run.slack.limits.ack_seconds = A_MOMENT
    outcome = await run.work.press(run.ann, view_id, "Go")
    assert outcome.error in ("operation_timeout", "http_client_error")
    assert outcome.shown


# ---- elements ---------------------------------------------------------------------------------------------------------


async def test_a_buttons_click_carries_its_value_view_and_trigger(run: Running) -> None:
    view_id = await run.open({"type": "actions", "block_id": "row", "elements": [button(value="17")]})
    await run.work.press(run.ann, view_id, "Go")
    [body] = run.got
    [action] = body["actions"]
    assert (action["type"], action["value"], action["block_id"]) == ("button", "17", "row")
    assert (body["view"]["id"], body["view"]["root_view_id"]) == (view_id, view_id)
    await run.client.views_push(trigger_id=body["trigger_id"], view=modal())


async def test_ticks_arrive_with_exact_options_and_in_the_views_state(run: Running) -> None:
    options = [option("1"), {**option("2"), "description": plain("two")}, option("3")]
    boxes = {"type": "checkboxes", "action_id": "a", "options": options, "initial_options": options[:1]}
    view_id = await run.open(field(boxes, dispatch_action=True, optional=True))
    assert run.work.top(run.ann).values["b"]["a"]["selected_options"] == filled(options[:1])
    await run.work.click(run.ann, view_id, "b", "a", ["2", "3"])
    assert run.got[0]["actions"][0]["selected_options"] == filled(options[1:])
    assert run.got[0]["view"]["state"]["values"]["b"]["a"] == {
        "type": "checkboxes",
        "selected_options": filled(options[1:]),
    }


async def test_an_input_without_dispatch_action_changes_in_silence(run: Running) -> None:
    view_id = await run.open(text_field())
    outcome = await run.work.type(run.ann, view_id, "b", "a", "typed", enter=True)
    assert (outcome.sent, run.got) == (False, [])
    assert run.work.top(run.ann).values["b"]["a"]["value"] == "typed"


@pytest.mark.parametrize(
    ("config", "enter", "sent"),
    [
        (None, False, False),
        (None, True, True),
        (["on_character_entered"], False, True),
        (["on_enter_pressed"], False, False),
    ],
)
async def test_typing_dispatches_as_the_element_says(
    run: Running, config: list[str] | None, enter: bool, sent: bool
) -> None:
    block = text_field(dispatch_action=True)
    if config:
        block["element"]["dispatch_action_config"] = {"trigger_actions_on": config}
    view_id = await run.open(block)
    outcome = await run.work.type(run.ann, view_id, "b", "a", "typed", enter=enter)
    assert (outcome.sent, len(run.got)) == (sent, int(sent))


async def test_unset_elements_stand_in_the_state_with_nothing_chosen(run: Running) -> None:
    await run.open(
        text_field("t"),
        field({"type": "checkboxes", "action_id": "a", "options": [option("1")]}, "c"),
        {"type": "actions", "block_id": "s", "elements": [{"type": "external_select", "action_id": "a"}]},
        {
            "type": "actions",
            "block_id": "d",
            "elements": [{"type": "datepicker", "action_id": "a"}, button()],
        },
    )
    assert run.work.top(run.ann).values == {
        "t": {"a": {"type": "plain_text_input", "value": None}},
        "c": {"a": {"type": "checkboxes", "selected_options": []}},
        "s": {"a": {"type": "external_select", "selected_option": None}},
        "d": {"a": {"type": "datepicker", "selected_date": None}},
    }


async def test_type_ahead_offers_the_apps_options_from_its_least_length_on(run: Running) -> None:
    select = {"type": "external_select", "action_id": "a", "min_query_length": 2}
    view_id = await run.open(section(block_id="b", accessory=select))
    assert not (await run.work.options(run.ann, view_id, "b", "a", "i")).sent
    run.answer = {"options": [option("17", "INV-17")]}
    outcome = await run.work.options(run.ann, view_id, "b", "a", "in")
    assert (run.got[0]["value"], outcome.options) == ("in", filled([option("17", "INV-17")]))
    await run.work.click(run.ann, view_id, "b", "a", "17")
    assert run.got[1]["actions"][0]["selected_option"] == filled(option("17", "INV-17"))
    with pytest.raises(LookupError):
        await run.work.click(run.ann, view_id, "b", "a", "18")


async def test_more_options_than_slack_takes_are_an_error(run: Running) -> None:
    view_id = await run.open(
        section(block_id="b", accessory={"type": "external_select", "action_id": "a", "min_query_length": 0})
    )
    run.answer = {"options": [option(str(number)) for number in range(101)]}
    assert (await run.work.options(run.ann, view_id, "b", "a", "")).error == "invalid_options"


async def test_a_click_on_a_message_brings_a_response_url_that_replaces_it(run: Running) -> None:
    await run.client.chat_postMessage(
        channel=run.general, text="x", blocks=[{"type": "actions", "elements": [button()]}]
    )
    [message] = run.work.messages(run.general)

    await run.work.press(run.ann, message.place, "Go")
    [body] = run.got
    assert body["container"] == {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": run.general,
        "is_ephemeral": False,
    }
    async with aiohttp.ClientSession() as session:
        for number in range(5):
            answer = await session.post(
                body["response_url"], json={"replace_original": True, "text": f"{number}"}
            )
            assert answer.status == 200
        sixth = await session.post(body["response_url"], json={"text": "once more"})
        assert (sixth.status, (await sixth.json())["error"]) == (404, "used_url")
    assert [each.text for each in run.work.messages(run.general)] == ["4"]


async def test_nobody_touches_what_they_do_not_see(run: Running) -> None:
    view_id = await run.open({"type": "actions", "elements": [button()]})
    ben = run.work.add_person("ben")
    with pytest.raises(LookupError):
        await run.work.press(ben, view_id, "Go")
    await run.push()
    with pytest.raises(LookupError):
        await run.work.press(run.ann, view_id, "Go")
