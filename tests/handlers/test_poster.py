"""Posting once: every way in which chat.postMessage fails is told apart."""

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from domain.messages.poster_port import HistoryUnreadable, NotPosted, PostUnknown
from handlers.poster import SlackPoster
from sandbox.slack import LocalSlack
from tests.handlers.posting import CHANNEL, payment, posted, poster, slack
from tests.patience import PATIENCE, let_pass

__all__ = ["poster", "slack"]


async def test_a_message_goes_out_with_its_key_and_without_previews(
    slack: LocalSlack, poster: SlackPoster
) -> None:
    told = await poster.post(payment())
    [message] = slack.workspace.messages(CHANNEL)
    assert (told.channel, told.ts) == (CHANNEL, message.ts)
    assert message.metadata == {"event_type": "paylink_announcement", "event_payload": {"key": "key-1"}}
    assert (message.unfurl_links, message.unfurl_media) == (False, False)


async def test_a_direct_message_goes_to_a_person(slack: LocalSlack, poster: SlackPoster) -> None:
    await poster.post(replace(payment(), destination="U0ANNA"))
    assert len(slack.workspace.dms("U0ANNA")) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"when": "after"},
        {"when": "after", "do": "status", "status": 500},
        {"when": "after", "do": "error", "error": "internal_error"},
        {"when": "after", "do": "error", "error": "fatal_error"},
        {"when": "before", "do": "drop"},
        {"when": "before", "do": "status", "status": 503},
        {"when": "before", "do": "error", "error": "request_timeout"},
    ],
    ids=str,
)
async def test_what_may_have_been_posted_is_unknown_and_never_sent_twice(
    slack: LocalSlack, poster: SlackPoster, fault: dict[str, Any]
) -> None:
    slack.faults.add(method="chat.postMessage", **fault)
    with pytest.raises(PostUnknown):
        await poster.post(payment())
    assert posted(slack) == (fault["when"] == "after")
    found = await poster.find(payment())
    assert (found is not None) == (fault["when"] == "after")
    assert len([call for call in slack.workspace.calls if call.method == "chat.postMessage"]) == 1


async def test_an_answer_that_takes_too_long_is_unknown(slack: LocalSlack) -> None:
    late = slack.faults.add(method="chat.postMessage", when="after", do="slow", seconds=math.inf)
    client = AsyncWebClient(token=slack.workspace.bot_token, base_url=slack.api_url, timeout=round(PATIENCE))
    posting = asyncio.create_task(SlackPoster(client).post(payment()))
    await slack.workspace.wait_for(lambda: late.struck)
    await let_pass(2 * PATIENCE)
    with pytest.raises(PostUnknown):
        await posting
    slack.faults.remove(late)
    assert await SlackPoster(client).find(payment()) is not None


async def test_a_connection_that_was_never_made_posted_nothing() -> None:
    client = AsyncWebClient(token="xoxb-1", base_url="http://127.0.0.1:1/api/")
    with pytest.raises(NotPosted) as refused:
        await SlackPoster(client).post(payment())
    assert not refused.value.final
    assert not refused.value.channel_lost
    with pytest.raises(PostUnknown):
        await SlackPoster(client).find(payment())


async def test_retry_after_is_told(slack: LocalSlack, poster: SlackPoster) -> None:
    slack.faults.add(method="chat.postMessage", do="status", status=429, seconds=7)
    with pytest.raises(NotPosted) as refused:
        await poster.post(payment())
    assert refused.value.retry_after == 7
    assert posted(slack) == 0


@pytest.mark.parametrize(
    ("code", "channel_lost", "final"),
    [
        ("not_in_channel", True, False),
        ("channel_not_found", True, False),
        ("is_archived", True, False),
        ("missing_scope", True, False),
        ("user_not_found", True, False),
        ("invalid_blocks", False, True),
        ("msg_too_long", False, True),
        ("invalid_auth", False, False),
        ("token_revoked", False, False),
        ("account_inactive", False, False),
        ("something_new", False, False),
    ],
)
async def test_refusals_are_told_apart(
    slack: LocalSlack, poster: SlackPoster, code: str, channel_lost: bool, final: bool
) -> None:
    slack.faults.add(method="chat.postMessage", do="error", error=code)
    with pytest.raises(NotPosted) as refused:
        await poster.post(payment())
    assert (refused.value.code, refused.value.channel_lost, refused.value.final) == (
        code,
        channel_lost,
        final,
    )


async def test_a_channel_that_paylink_left_is_lost(slack: LocalSlack, poster: SlackPoster) -> None:
    await slack.workspace.kick_bot(CHANNEL)
    with pytest.raises(NotPosted) as refused:
        await poster.post(payment())
    assert refused.value.channel_lost
    with pytest.raises(HistoryUnreadable, match="not_in_channel"):
        await poster.find(payment())


async def test_an_announcement_without_its_facts_is_refused_for_good(poster: SlackPoster) -> None:
    with pytest.raises(NotPosted) as refused:
        await poster.post(replace(payment(), invoice=None))
    assert refused.value.final
