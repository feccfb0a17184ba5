"""What is typed on the page as a name is a mention to the app, as Slack's clients send it."""

import pytest

from sandbox.page.deeds import do
from tests.handlers.conftest import Bench, bench

__all__ = ["bench"]


@pytest.mark.parametrize("typed", ["@Paylink hello", "thanks, @paylink!"])
async def test_a_name_behind_an_at_sign_mentions_whoever_has_it(bench: Bench, typed: str) -> None:
    request = {"op": "say", "channel": bench.channel, "text": typed}
    await do(bench.workspace, bench.anna, request)
    await bench.idle()
    said = bench.workspace.messages(bench.channel, seen_by=bench.anna)
    assert f"<@{bench.workspace.bot_user_id}>" in said[0].text
    assert [one.ephemeral_to for one in said[1:]] == [bench.anna]


@pytest.mark.parametrize("typed", ["bills@paylink.example", "@Paylinks", "<@U0ANNA> & co"])
async def test_whatever_else_has_an_at_sign_in_it_stays_text(bench: Bench, typed: str) -> None:
    await do(bench.workspace, bench.anna, {"op": "say", "channel": bench.channel, "text": typed})
    await bench.idle()
    [said] = bench.workspace.messages(bench.channel, seen_by=bench.anna)
    assert "<@" not in said.text
