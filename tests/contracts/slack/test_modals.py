"""What becomes of modals: submissions and what an app answers to them, closing, and what clients are told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sandbox.slack.state.errors import TROUBLE
from tests.contracts.slack.fixtures import (
    A_MOMENT,
    Json,
    Running,
    field,
    make_running,
    modal,
    mrkdwn,
    plain,
    section,
    text_field,
)


@pytest.fixture(params=["socket", "http"])
async def run(request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    async with make_running(request.param) as made:
        yield made


async def test_a_bare_ack_closes_only_the_submitted_view(run: Running) -> None:
    root = await run.open()
    top = await run.push()
    assert (await run.work.submit(run.ann, top)).ok
    assert run.got[0]["type"] == "view_submission"
    assert [view.id for view in run.work.views(run.ann)] == [root]


async def test_an_ack_may_update_push_or_clear(run: Running) -> None:
    view_id = await run.open()
    before = run.work.top(run.ann).hash
    run.answer = {"response_action": "update", "view": modal(section("updated"), callback_id="v")}
    await run.work.submit(run.ann, view_id)
    assert run.work.top(run.ann).blocks[0]["text"]["text"] == "updated"
    assert run.work.top(run.ann).hash != before
    run.answer = {"response_action": "push", "view": modal(section("pushed"), callback_id="v")}
    await run.work.submit(run.ann, view_id)
    assert [view.previous_view_id for view in run.work.views(run.ann)] == [None, view_id]
    run.answer = {"response_action": "clear"}
    await run.work.submit(run.ann, run.work.top(run.ann).id)
    assert run.work.views(run.ann) == []


async def test_errors_are_shown_beside_inputs_and_the_view_stays(run: Running) -> None:
    view_id = await run.open(section(block_id="s"), text_field(optional=True))
    run.answer = {"response_action": "errors", "errors": {"b": "Nothing ticked."}}
    outcome = await run.work.submit(run.ann, view_id)
    assert (outcome.sent, outcome.errors) == (True, {"b": "Nothing ticked."})
    assert run.work.top(run.ann).shown_errors == {"b": "Nothing ticked."}


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"s": "Not an input."}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "update", "view": modal(section(""))},
        {"response_action": "push", "view": {**modal(), "title": plain("x" * 25)}},
        {"response_action": "sing"},
        "some text",
    ],
)
async def test_an_ack_that_makes_no_sense_shows_trouble(run: Running, answer: Json | str) -> None:
    view_id = await run.open(section(block_id="s"), text_field(optional=True))
    # Bolt answers nothing over a socket if there are no errors among the errors.
    run.slack.app.limits.ack_seconds = A_MOMENT
    run.answer = answer
    outcome = await run.work.submit(run.ann, view_id)
    assert outcome.shown == TROUBLE
    assert [view.id for view in run.work.views(run.ann)] == [view_id]


async def test_the_client_refuses_forms_that_are_not_filled_in(run: Running) -> None:
    number = field(
        {"type": "number_input", "action_id": "a", "is_decimal_allowed": False}, "n", optional=True
    )
    view_id = await run.open(text_field(), number)
    await run.work.type(run.ann, view_id, "n", "a", "many")
    outcome = await run.work.submit(run.ann, view_id)
    assert (outcome.sent, set(outcome.errors)) == (False, {"b", "n"})
    assert run.got == []


async def test_closing_tells_the_app_only_if_it_asked(run: Running) -> None:
    quiet = await run.open()
    told = await run.push(notify_on_close=True)
    await run.work.close(run.ann, told)
    assert (run.got[0]["type"], run.got[0]["is_cleared"]) == ("view_closed", False)
    await run.work.close(run.ann, quiet)
    assert len(run.got) == 1
    assert run.work.views(run.ann) == []


async def test_the_cross_clears_the_whole_stack(run: Running) -> None:
    await run.open(notify_on_close=True)
    top = await run.push(notify_on_close=True)
    await run.work.close(run.ann, top, clear=True)
    assert [body["is_cleared"] for body in run.got] == [True, True]
    assert run.work.views(run.ann) == []


async def test_what_clients_would_show_is_streamed(run: Running) -> None:
    with run.work.subscribe() as shown:
        view_id = await run.open()
        await run.work.submit(run.ann, view_id)
        await run.client.chat_postMessage(
            channel=run.general, text="x", blocks=[{"type": "section", "text": mrkdwn("x")}]
        )
        kinds = [(await anext(shown)).kind for _ in range(3)]
    assert kinds == ["view_opened", "view_closed", "message_posted"]
