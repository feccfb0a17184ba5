"""What the doctor finds out about Slack."""

from pathlib import Path

import pytest
import yaml

from bot.scopes import OPTIONAL, SCOPES
from domain.organisations import organisations
from tests.bot.cli.doctor.conftest import World

MANIFEST = yaml.safe_load((Path(__file__).parents[4] / "manifest.yml").read_text())


async def test_tokens_that_slack_refuses_are_told(world: World) -> None:
    world.slack.revoke(world.slack.app_token)
    status, told = await world.examine()
    assert status == 1
    assert "✗ Socket Mode: Slack refuses SLACK_APP_TOKEN (token_revoked)" in told

    world.slack.revoke(world.slack.workspace.bot_token)
    status, told = await world.examine()
    assert status == 1
    assert "✗ Slack: it refuses SLACK_BOT_TOKEN (token_revoked)" in told


async def test_a_missing_scope_is_told_with_what_is_lost(world: World) -> None:
    world.slack.workspace.scopes.remove("files:write")

    status, told = await world.examine()

    assert status == 1
    assert "✗ Scopes: files:write is missing, so Download doesn't work" in told


async def test_a_channel_without_the_bot_is_told(world: World) -> None:
    await world.slack.workspace.kick_bot(world.channel)

    status, told = await world.examine()

    assert status == 1
    assert f"✗ Notification channel: {world.channel} can't be read (not_in_channel)" in told
    assert "/invite" in told


async def test_no_channel_at_all_is_told(world: World) -> None:
    status, told = await world.examine(PAYLINK_NOTIFICATION_CHANNEL="")

    assert status == 1
    assert "✗ Notification channel: there is none, so announcements wait" in told


@pytest.mark.parametrize("body", ["", "<html>", "[]", "[1]", '"ok"'])
@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        ("auth.test", "✗ Slack: it can't be reached."),
        ("apps.connections.open", "✗ Socket Mode: Slack can't be reached (status 502)."),
        ("conversations.history", "can't be read, since Slack can't be reached (status 502)."),
    ],
)
async def test_an_answer_that_is_not_slacks_means_that_slack_is_away(
    method: str, sentence: str, body: str, world: World
) -> None:
    world.slack.app.faults.add(method=method, do="garbled", status=502, body=body, times=None)

    status, told = await world.examine()

    assert status == 1
    assert sentence in told
    assert "Stripe:" in told


async def test_an_answer_without_a_workspace_means_that_slack_is_away(world: World) -> None:
    world.slack.app.faults.add(
        method="auth.test", do="garbled", status=200, body='{"ok": true, "team_id": null}', times=None
    )

    status, told = await world.examine()

    assert status == 1
    assert "✗ Slack: it can't be reached." in told


def test_the_scopes_asked_for_are_the_manifests() -> None:
    assert set(SCOPES | OPTIONAL) == set(MANIFEST["oauth_config"]["scopes"]["bot"])


async def test_a_scope_that_came_later_is_missed_and_nothing_is_wrong(world: World) -> None:
    db = world.prepared()
    db.run(organisations.ensure, world.slack.workspace.team_id, "Paylink", world.channel)
    db.close_now()
    world.slack.workspace.scopes.remove("im:history")

    status, told = await world.examine()

    assert status == 0
    assert "! Scopes: im:history is missing, so nobody is answered who writes to Paylink directly" in told
