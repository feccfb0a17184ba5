"""Posting once: every way in which chat.postMessage fails is told apart, and what may be posted is found again."""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from domain.messages.poster_port import HistoryUnreadable, NotPosted, Posted, PostUnknown
from domain.messages.summaries import Announcement
from domain.states import AnnouncementKind, ExceptionKind, FollowUp
from domain.summaries import Resolution
from handlers.poster import SlackPoster
from sandbox.slack import LocalSlack
from tests.handlers.samples import NOW, exception, invoice, paid
from tests.patience import PATIENCE, let_pass

ROOT = Path(__file__).resolve().parents[2]
CHANNEL = "C0PAYMENTS"


def payment(key: str = "key-1") -> Announcement:
    return Announcement(
        id=1,
        organisation_id=1,
        kind=AnnouncementKind.PAID,
        key=key,
        destination=CHANNEL,
        attempts=0,
        may_be_posted=False,
        attempted_at=datetime.now(UTC),
        invoice=paid(invoice(1)),
    )


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text())
    async with LocalSlack(manifest) as slack:
        slack.limits.messages_per_second = 1000
        slack.limits.message_burst = 1000
        slack.workspace.add_person("anna", user_id="U0ANNA")
        slack.workspace.add_channel("payments", channel_id=CHANNEL)
        yield slack


@pytest.fixture
async def poster(slack: LocalSlack) -> AsyncIterator[SlackPoster]:
    async with aiohttp.ClientSession() as session:
        yield SlackPoster(
            AsyncWebClient(token=slack.workspace.bot_token, base_url=slack.api_url, session=session)
        )


def posted(slack: LocalSlack) -> int:
    return len(slack.workspace.messages(CHANNEL))


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


async def test_a_message_is_found_by_its_key_among_many_pages(
    slack: LocalSlack, poster: SlackPoster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.poster._PAGE", 3)
    wanted = await poster.post(payment("wanted"))
    for number in range(8):
        await poster.post(payment(f"other-{number}"))
    await slack.workspace.say("U0ANNA", CHANNEL, "wanted")
    assert await poster.find(payment("wanted")) == wanted
    assert await poster.find(payment("never-posted")) is None


@pytest.mark.parametrize("broadcast", [False, True])
async def test_what_follows_up_stands_in_the_thread_and_is_found_there(
    slack: LocalSlack, poster: SlackPoster, broadcast: bool
) -> None:
    told = await poster.post(payment())
    reply = replace(payment("reply"), thread=told.ts, broadcast=broadcast)
    posted = await poster.post(reply)
    [_, message] = slack.workspace.messages(CHANNEL)
    assert (message.thread_ts, message.broadcast) == (told.ts, broadcast)
    assert await poster.find(reply) == posted
    assert await poster.find(replace(payment("never-posted"), thread=told.ts)) is None


async def test_what_was_posted_before_there_was_a_thread_is_found_in_the_channel(poster: SlackPoster) -> None:
    posted = await poster.post(payment("reply"))
    told = await poster.post(payment())
    assert await poster.find(replace(payment("reply"), thread=told.ts)) == posted


@pytest.mark.parametrize(
    "code",
    [
        "thread_not_found",
        "restricted_action_thread_locked",
        "restricted_action_non_threadable_channel",
        "restricted_action",
        "invalid_blocks",
        "something_new",
    ],
)
async def test_whatever_is_refused_in_a_thread_is_first_the_threads_fault(
    slack: LocalSlack, poster: SlackPoster, code: str
) -> None:
    reply = replace(payment(), thread="1.000001")
    with pytest.raises(HistoryUnreadable, match="thread_not_found"):
        await poster.find(reply)
    slack.faults.add(method="chat.postMessage", do="error", error=code)
    with pytest.raises(NotPosted) as refused:
        await poster.post(reply)
    assert (refused.value.thread_lost, refused.value.channel_lost, refused.value.final) == (
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("code", "final"),
    [("something_new", True), ("invalid_blocks", True), ("is_archived", False), ("token_revoked", False)],
)
async def test_what_follows_up_isnt_tried_for_ever_outside_its_thread(
    slack: LocalSlack, poster: SlackPoster, code: str, final: bool
) -> None:
    slack.faults.add(method="chat.postMessage", do="error", error=code)
    dealt_with = exception(ExceptionKind.SECOND_PAYMENT, resolution=Resolution(NOW, "U0ADA", "Refunded"))
    kind, says = AnnouncementKind.FOLLOW_UP, FollowUp.RESOLVED
    reply = replace(payment(), kind=kind, exception=dealt_with, follow_up=says)
    with pytest.raises(NotPosted) as refused:
        await poster.post(reply)
    assert (refused.value.thread_lost, refused.value.final) == (False, final)


async def test_a_limit_and_a_refused_token_are_nothing_against_the_thread(
    slack: LocalSlack, poster: SlackPoster
) -> None:
    told = await poster.post(payment())
    reply = replace(payment("reply"), thread=told.ts)
    slack.faults.add(method="chat.postMessage", do="status", status=429, seconds=7)
    slack.faults.add(method="chat.postMessage", do="error", error="token_revoked")
    for _ in range(2):
        with pytest.raises(NotPosted) as refused:
            await poster.post(reply)
        assert not refused.value.thread_lost


async def test_history_is_read_from_some_minutes_before_the_attempt(
    slack: LocalSlack, poster: SlackPoster
) -> None:
    told = await poster.post(payment())
    late = replace(payment(), attempted_at=datetime.now(UTC) + timedelta(minutes=4))
    assert await poster.find(late) == told
    much_later = replace(payment(), attempted_at=datetime.now(UTC) + timedelta(minutes=6))
    assert await poster.find(much_later) is None


async def test_the_same_key_in_somebody_elses_text_is_not_ours(
    slack: LocalSlack, poster: SlackPoster
) -> None:
    await slack.workspace.say("U0ANNA", CHANNEL, "key-1")
    assert await poster.find(payment()) is None


@pytest.mark.parametrize(
    "code",
    ["missing_scope", "channel_not_found", "not_in_channel", "ekm_access_denied", "unknown_method"],
)
async def test_a_history_that_cannot_be_read_is_said(
    slack: LocalSlack, poster: SlackPoster, code: str
) -> None:
    slack.faults.add(method="conversations.history", do="error", error=code)
    with pytest.raises(HistoryUnreadable, match=code):
        await poster.find(payment())


async def test_a_history_that_cannot_be_read_now_is_tried_again(
    slack: LocalSlack, poster: SlackPoster
) -> None:
    slack.faults.add(method="conversations.history", do="status", status=500)
    with pytest.raises(PostUnknown):
        await poster.find(payment())
    slack.faults.add(method="conversations.history", do="status", status=429, seconds=30)
    with pytest.raises(NotPosted) as limited:
        await poster.find(payment())
    assert limited.value.retry_after == 30


async def test_a_direct_message_is_found_where_the_person_gets_theirs_and_nowhere_else(
    slack: LocalSlack, poster: SlackPoster
) -> None:
    told = replace(payment(), destination=slack.workspace.add_person("bea"))
    slack.faults.add(method="chat.postMessage", when="after")
    with pytest.raises(PostUnknown):
        await poster.post(told)
    with pytest.raises(HistoryUnreadable):
        await poster.find(told)
    there = slack.workspace.dm_channel(told.destination)
    (message,) = slack.workspace.dms(told.destination)
    assert await poster.find(replace(told, conversation=there)) == Posted(str(there), message.ts)
    assert await poster.find(replace(told, key="another", conversation=there)) is None
