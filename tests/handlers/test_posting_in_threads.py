"""What follows up stands in the thread of what it follows up, and not for ever outside it."""

from dataclasses import replace

import pytest

from domain.messages.poster_port import HistoryUnreadable, NotPosted
from domain.states import AnnouncementKind, ExceptionKind, FollowUp
from domain.summaries import Resolution
from handlers.poster import SlackPoster
from sandbox.slack import LocalSlack
from tests.handlers.posting import CHANNEL, payment, poster, slack
from tests.handlers.samples import NOW, exception

__all__ = ["poster", "slack"]


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
