"""Messages, history and files of the local Slack, through the official client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from sandbox.slack import LocalSlack
from tests.contracts.slack.fixtures import (
    World,
    make_world,
    manifest,
    refused,
    section,
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with make_world() as made:
        yield made


async def test_a_message_arrives_with_blocks_metadata_and_unfurl_flags(world: World) -> None:
    metadata = {"event_type": "told", "event_payload": {"key": "k1"}}
    answer = await world.client.chat_postMessage(
        channel=world.general,
        text="Hi",
        blocks=[section()],
        metadata=metadata,
        unfurl_links=False,
        unfurl_media=False,
    )
    [message] = world.work.messages(world.general)
    assert (message.ts, message.text, message.metadata) == (answer["ts"], "Hi", metadata)
    assert (message.unfurl_links, message.unfurl_media) == (False, False)
    assert message.blocks[0]["block_id"]


async def test_a_persons_id_means_direct_messages_with_them(world: World) -> None:
    answer = await world.client.chat_postMessage(channel=world.ann, text="Hi")
    assert answer["channel"].startswith("D")
    assert [message.text for message in world.work.dms(world.ann)] == ["Hi"]


async def test_direct_messages_need_the_messages_tab() -> None:
    async with LocalSlack(manifest(messages=False)) as slack:
        world = World(slack)
        assert (await refused(world.client.chat_postMessage(channel=world.ann, text="Hi")))["error"] == (
            "messages_tab_disabled"
        )


LONG_BLOCKS = [section("x" * 2900) for _ in range(5)]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": "x", "blocks": LONG_BLOCKS}, "msg_blocks_too_long"),
        ({"text": "x", "blocks": [section("")]}, "invalid_blocks"),
        ({"text": "x", "blocks": "no json"}, "invalid_blocks_format"),
        ({"text": "x", "metadata": {"event_type": "told"}}, "invalid_metadata_schema"),
        (
            {"text": "x", "metadata": {"event_type": "told", "event_payload": {"key": "x" * 9000}}},
            "metadata_too_large",
        ),
    ],
)
async def test_a_message_that_slack_would_not_take_is_refused(
    world: World, more: dict[str, Any], code: str
) -> None:
    answer = await refused(world.client.api_call("chat.postMessage", json={"channel": world.general, **more}))
    assert answer["error"] == code
    assert world.work.messages(world.general) == []


async def test_invalid_blocks_say_where_and_why(world: World) -> None:
    answer = await refused(
        world.client.chat_postMessage(channel=world.general, text="x", blocks=[section("x" * 3001)])
    )
    expected = "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert answer["response_metadata"]["messages"] == [expected]


async def test_where_the_app_may_not_post(world: World) -> None:
    post = world.client.chat_postMessage
    assert (await refused(post(channel=world.elsewhere, text="x")))["error"] == "not_in_channel"
    assert (await refused(post(channel=world.secret, text="x")))["error"] == "channel_not_found"
    assert (await refused(post(channel="C0NOWHERE", text="x")))["error"] == "channel_not_found"
    await world.work.archive(world.general)
    assert (await refused(post(channel=world.general, text="x")))["error"] == "is_archived"


async def test_an_update_keeps_what_it_does_not_name(world: World) -> None:
    metadata = {"event_type": "told", "event_payload": {}}
    posted = await world.client.chat_postMessage(
        channel=world.general, text="One", blocks=[section("one")], metadata=metadata
    )
    await world.client.chat_update(channel=world.general, ts=posted["ts"], text="Two")
    [message] = world.work.messages(world.general)
    assert (message.text, message.blocks[0]["text"]["text"], message.metadata) == ("Two", "one", metadata)


async def test_only_own_messages_that_exist_are_updated(world: World) -> None:
    update, said = world.client.chat_update, await world.work.say(world.ann, world.general, "mine")
    assert (await refused(update(channel=world.general, ts=said.ts, text="x")))[
        "error"
    ] == "cant_update_message"
    assert (await refused(update(channel=world.general, ts="1.000001", text="x")))[
        "error"
    ] == "message_not_found"
    posted = await world.client.chat_postMessage(channel=world.general, text="x")
    longer = update(channel=world.general, ts=posted["ts"], text="x" * 4001)
    assert (await refused(longer))["error"] == "msg_too_long"


async def test_an_ephemeral_message_is_seen_by_one_person_in_the_channel(world: World) -> None:
    ben = world.work.add_person("ben")
    await world.client.chat_postEphemeral(channel=world.general, user=world.ann, text="psst")
    assert [m.text for m in world.work.messages(world.general, seen_by=world.ann)] == ["psst"]
    assert world.work.messages(world.general, seen_by=ben) == []
    stranger = world.client.chat_postEphemeral(channel=world.general, user="U0NOBODY", text="x")
    assert (await refused(stranger))["error"] == "user_not_in_channel"


async def test_history_is_newest_first_in_pages_and_within_bounds(world: World) -> None:
    sent = [(await world.client.chat_postMessage(channel=world.general, text=str(n)))["ts"] for n in range(5)]
    history = world.client.conversations_history
    first = await history(channel=world.general, limit=2)
    assert [message["text"] for message in first["messages"]] == ["4", "3"]
    rest = await history(channel=world.general, limit=3, cursor=first["response_metadata"]["next_cursor"])
    assert [message["text"] for message in rest["messages"]] == ["2", "1", "0"]
    assert not rest["has_more"]
    after = await history(channel=world.general, oldest=sent[3])
    assert [message["text"] for message in after["messages"]] == ["4"]
    including = await history(channel=world.general, oldest=sent[3], inclusive=True)
    assert [message["text"] for message in including["messages"]] == ["4", "3"]


async def test_history_shows_metadata_only_when_asked(world: World) -> None:
    metadata = {"event_type": "told", "event_payload": {"key": "k"}}
    await world.client.chat_postMessage(channel=world.general, text="x", metadata=metadata)
    without = await world.client.conversations_history(channel=world.general)
    with_it = await world.client.conversations_history(channel=world.general, include_all_metadata=True)
    assert "metadata" not in without["messages"][0]
    assert with_it["messages"][0]["metadata"] == metadata


async def test_history_is_refused_outside_the_apps_channels_and_scopes(world: World) -> None:
    history = world.client.conversations_history
    assert (await refused(history(channel=world.elsewhere)))["error"] == "not_in_channel"
    assert (await refused(history(channel=world.secret)))["error"] == "channel_not_found"
    assert (await refused(history(channel=world.general, oldest="yesterday")))["error"] == "invalid_ts_oldest"
    assert (await refused(history(channel=world.general, cursor="???")))["error"] == "invalid_cursor"
    dm = (await world.client.chat_postMessage(channel=world.ann, text="x"))["channel"]
    answer = await refused(history(channel=dm))
    assert (answer["error"], answer["needed"]) == ("missing_scope", "im:history")


async def test_restricted_history_gives_fifteen_messages_once_a_minute(world: World) -> None:
    for number in range(17):
        await world.client.chat_postMessage(channel=world.general, text=str(number))
    world.slack.limits.history_is_restricted = True
    page = await world.client.conversations_history(channel=world.general, limit=100)
    assert len(page["messages"]) == 15
    again = await refused(world.client.conversations_history(channel=world.general))
    assert again.status_code == 429
    assert 1 <= int(again.headers["retry-after"]) <= 60


async def test_a_file_is_uploaded_and_shared_in_a_conversation(world: World) -> None:
    dm = (await world.client.chat_postMessage(channel=world.ann, text="Hi"))["channel"]
    await world.client.files_upload_v2(channel=dm, content="a,b\n1,2\n", filename="rows.csv", title="Rows")
    [file] = world.work.files
    assert (file.content, file.title, file.channels) == (b"a,b\n1,2\n", "Rows", [dm])
    assert world.work.dms(world.ann)[-1].files[0]["name"] == "rows.csv"


async def test_a_file_goes_to_a_conversation_of_the_app_and_only_once_uploaded(world: World) -> None:
    url = await world.client.files_getUploadURLExternal(filename="x.csv", length=3)
    ready = [{"id": url["file_id"]}]
    complete = world.client.files_completeUploadExternal
    assert (await refused(complete(files=ready, channel_id=world.general)))["error"] == "file_not_found"
    async with aiohttp.ClientSession() as session, session.post(url["upload_url"], data=b"abc") as response:
        assert response.status == 200
    assert (await refused(complete(files=ready, channel_id=world.ann)))["error"] == "invalid_arguments"
    assert (await refused(complete(files=ready, channel_id=world.elsewhere)))["error"] == "not_in_channel"
    await complete(files=ready, channel_id=world.general)


async def test_replies_stand_in_their_thread_and_in_the_channel_only_if_they_are_sent_there_too(
    world: World,
) -> None:
    """Slack docs: conversations.replies; chat.postMessage, reply_broadcast."""
    post = world.client.chat_postMessage
    parent = (await post(channel=world.general, text="Hi"))["ts"]
    hidden = (await post(channel=world.general, text="a", thread_ts=parent))["ts"]
    shown = (await post(channel=world.general, text="b", thread_ts=parent, reply_broadcast=True))["ts"]
    history = await world.client.conversations_history(channel=world.general)
    assert [message["ts"] for message in history["messages"]] == [shown, parent]
    assert history["messages"][0]["subtype"] == "thread_broadcast"
    replies = await world.client.conversations_replies(channel=world.general, ts=parent)
    assert [message["ts"] for message in replies["messages"]] == [parent, hidden, shown]
    page = await world.client.conversations_replies(channel=world.general, ts=parent, limit=2)
    cursor = page["response_metadata"]["next_cursor"]
    rest = await world.client.conversations_replies(channel=world.general, ts=parent, cursor=cursor)
    assert [message["ts"] for message in rest["messages"]] == [shown]
    gone = world.client.conversations_replies(channel=world.general, ts="1.000001")
    assert (await refused(gone))["error"] == "thread_not_found"
