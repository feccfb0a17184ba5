"""Being spoken to: everybody gets an answer, once, and Paylink never answers itself."""

from typing import Any

import pytest

from domain.errors import DatabaseUnavailable
from sandbox.slack import Message
from tests.handlers.conftest import Bench
from tests.handlers.samples import invoice, organisation
from tests.handlers.shapes import flat
from tests.patience import PATIENCE


async def say(bench: Bench, text: str, channel: str | None = None, **more: Any) -> None:
    await bench.workspace.say(bench.anna, channel or bench.channel, text, **more)
    await bench.idle()


async def write(bench: Bench, text: str, **more: Any) -> list[Message]:
    """Write to Paylink directly: its answers."""
    dm = bench.workspace.team.dm_with(bench.anna).id
    await say(bench, text, dm, **more)
    return [message for message in bench.workspace.dms(bench.anna) if message.bot_id]


def mention(bench: Bench) -> str:
    return f"<@{bench.workspace.bot_user_id}> hello?"


async def test_a_direct_message_is_answered_with_what_paylink_can_do_and_two_buttons(bench: Bench) -> None:
    [answer] = await write(bench, "hi there")
    assert "/invoice" in answer.text
    assert answer.thread_ts is None
    await bench.press("Find Invoice", answer.place)
    assert "Search" in bench.shown
    await bench.press("Billing Invoices", answer.place)
    assert "Billing Invoices" in bench.shown
    assert bench.refused_calls() == []


async def test_in_a_thread_of_the_direct_messages_the_answer_stands_there(bench: Bench) -> None:
    [first] = await write(bench, "hi there")
    answers = await write(bench, "and now?", thread_ts=first.ts)
    assert [one.thread_ts for one in answers] == [None, first.ts]


async def test_edits_own_messages_and_what_apps_say_are_not_answered(bench: Bench) -> None:
    assert len(await write(bench, "hi", edited=True)) == 1
    client = bench.app.client
    client.token = bench.workspace.bot_token
    posted = await client.chat_postMessage(channel=bench.anna, text="ours")
    await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="ours, edited")
    await client.chat_delete(channel=posted["channel"], ts=posted["ts"])
    dm = bench.workspace.team.dm_with(bench.anna).id
    event = {
        "type": "message",
        "channel": dm,
        "channel_type": "im",
        "user": "U0APP",
        "text": "x",
        "ts": "1.2",
    }
    for told in ({"bot_id": "B0APP"}, {"subtype": "bot_message"}, {"subtype": "channel_join"}):
        await bench.workspace.emit({**event, **told})
    await bench.idle()
    assert len([one for one in bench.workspace.dms(bench.anna) if one.bot_id]) == 1
    assert bench.log.named("delivery.unknown") == []


@pytest.mark.parametrize("twice", [True, False])
async def test_an_event_that_comes_again_is_answered_once(
    bench: Bench, twice: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if twice:
        bench.slack.faults.add(method="deliver.events_api", do="twice")
        assert len(await write(bench, "hi")) == 1
        return
    # No acknowledgement comes soon enough.
    bench.slack.limits.ack_seconds, bench.slack.limits.event_retry_seconds = 0.0, (0.0, 0.0)
    sockets = bench.slack.sockets
    sent: list[int] = []
    send = sockets.send

    async def counted(envelope: Any, payload: Any, **more: Any) -> Any:
        ack = await send(envelope, payload, **more)
        sent.append((more.get("retry") or (0, ""))[0])
        return ack

    monkeypatch.setattr(sockets, "send", counted)
    await write(bench, "hi")
    await bench.workspace.wait_for(lambda: sent == [0, 1, 2])
    bench.slack.limits.ack_seconds = PATIENCE
    await write(bench, "and now?")
    assert [call.method for call in bench.workspace.calls].count("chat.postMessage") == 2


async def test_a_mention_is_answered_to_that_person_alone(bench: Bench) -> None:
    await say(bench, mention(bench))
    [told] = [m for m in bench.workspace.messages(bench.channel, seen_by=bench.anna) if m.bot_id]
    assert told.ephemeral_to == bench.anna
    assert "what I can do" in told.text
    await bench.press("Find Invoice", told.place)
    assert "Search" in bench.shown


async def test_a_mention_in_a_thread_is_answered_there(bench: Bench) -> None:
    first = await bench.workspace.say(bench.anna, bench.channel, "a question")
    await say(bench, mention(bench), thread_ts=first.ts)
    [told] = [m for m in bench.workspace.messages(bench.channel, seen_by=bench.anna) if m.bot_id]
    assert (told.ephemeral_to, told.thread_ts) == (bench.anna, first.ts)


async def test_a_mention_that_cant_be_answered_in_the_channel_is_answered_directly(bench: Bench) -> None:
    bench.slack.faults.add(method="chat.postEphemeral", do="error", error="user_not_in_channel")
    await say(bench, mention(bench))
    [told] = [m for m in bench.workspace.dms(bench.anna) if m.bot_id]
    assert "what I can do" in told.text


async def test_words_that_name_nobody_are_nothing_to_paylink(bench: Bench) -> None:
    await say(bench, "Paylink is nice")
    assert bench.told() == []


async def test_an_installation_without_the_scopes_goes_on(bench: Bench) -> None:
    for scope in ("app_mentions:read", "im:history"):
        bench.workspace.scopes.remove(scope)
    assert await write(bench, "hi") == []
    bench.invoices(invoice(1))
    await bench.command("/invoice INV-1001")
    assert "INV-1001" in bench.shown


@pytest.mark.parametrize("tab", ["home", "messages"])
async def test_whoever_sees_paylink_for_the_first_time_is_welcomed_once(bench: Bench, tab: str) -> None:
    for _ in range(2):
        await bench.workspace.open_home(bench.anna, tab=tab)
        await bench.idle()
    await bench.workspace.open_home(bench.anna, tab="home")
    await bench.idle()
    [welcome] = [m for m in bench.workspace.dms(bench.anna) if m.bot_id]
    assert "Welcome to Paylink" in welcome.text
    assert welcome.text.count("•") == 3
    assert "Ask whoever runs Paylink" in welcome.text
    assert bench.workspace.home(bench.anna) is not None
    await bench.press("Billing Invoices", welcome.place)
    assert bench.refused_calls() == []


async def test_a_welcome_that_slack_refuses_is_made_up_for_and_one_in_doubt_isnt(bench: Bench) -> None:
    async def welcomes() -> int:
        await bench.workspace.open_home(bench.anna)
        await bench.idle()
        return len([m for m in bench.workspace.dms(bench.anna) if m.bot_id])

    bench.slack.faults.add(method="chat.postMessage", do="error", error="messages_tab_disabled")
    assert await welcomes() == 0
    bench.slack.faults.add(method="chat.postMessage", when="after", do="status", status=500)
    assert await welcomes() == 1
    assert await welcomes() == 1


async def test_people_of_another_workspace_see_the_refusal_where_they_look_and_get_no_message(
    bench: Bench,
) -> None:
    eve = bench.workspace.add_person("eve", team_id="T9EXT", stranger=True)
    for _ in range(2):
        await bench.workspace.open_home(eve)
        await bench.idle()
    home = bench.workspace.home(eve)
    assert home is not None
    assert "the people of the workspace" in flat(home.payload)
    assert bench.workspace.dms(eve) == []

    bench.workspace.team.channels[bench.channel].members.add(eve)
    await bench.workspace.say(eve, bench.channel, mention(bench))
    await bench.idle()
    [told] = [m for m in bench.workspace.messages(bench.channel, seen_by=eve) if m.ephemeral_to]
    assert "the people of the workspace" in told.text
    assert told.blocks == []


async def test_who_speaks_to_paylink_where_it_isnt_set_up_or_at_hand_is_told_so(bench: Bench) -> None:
    bench.desk.failure = DatabaseUnavailable()
    [first] = await write(bench, "hi")
    assert "database doesn't answer" in first.text
    bench.desk.failure = None
    bench.desk.organisation = organisation(team_id="T0OTHER")
    answers = await write(bench, "hi")
    assert "isn't set up" in answers[-1].text


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("/invoice list", "Billing Invoices"),
        ("/invoice invoices", "Billing Invoices"),
        ("/invoices exceptions", "Exceptions"),
    ],
)
async def test_what_another_command_means_is_understood(bench: Bench, typed: str, shown: str) -> None:
    bench.invoices(invoice(1))
    await bench.command(typed)
    assert shown in bench.shown


@pytest.mark.parametrize(
    ("name", "shown"), [("/bill", "Billing Invoice Details"), ("/bills", "Billing Invoices")]
)
async def test_a_command_under_another_name_is_answered(bench: Bench, name: str, shown: str) -> None:
    bench.slack.app.manifest.given["features"]["slash_commands"].append(
        {"command": name, "description": "Renamed"}
    )
    bench.invoices(invoice(1))
    await bench.command(f"{name} INV-1001")
    assert shown in bench.shown
