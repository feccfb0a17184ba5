"""What may have been posted is found again by its key, or the history that could tell is said to be unreadable."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.messages.poster_port import HistoryUnreadable, NotPosted, Posted, PostUnknown
from handlers.poster import SlackPoster
from sandbox.slack import LocalSlack
from tests.handlers.posting import CHANNEL, payment, poster, slack

__all__ = ["poster", "slack"]


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
