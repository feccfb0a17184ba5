"""`paylink init`: what it asks, what it tries out, and the file that it leaves."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from bot.cli import init
from bot.required import require_for_serving
from bot.settings import load_settings, secret
from sandbox.slack import LocalSlack
from sandbox.stripe.server import LocalStripe

MANIFEST = yaml.safe_load((Path(__file__).parents[3] / "manifest.yml").read_text())


@dataclass
class World:
    slack: LocalSlack
    stripe: LocalStripe
    channel: str

    async def answer(self, *answers: str) -> tuple[int, str]:
        """The exit status, and what was printed."""
        env = {"SLACK_API_URL": self.slack.api_url, "STRIPE_API_URL": self.stripe.api_url, "PORT": "9"}
        text = "".join(f"{answer}\n" for answer in answers)
        done = await asyncio.to_thread(CliRunner().invoke, init.app, input=text, obj=env)
        return done.exit_code, done.output


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.chdir(tmp_path)
    slack = LocalSlack(MANIFEST)
    await slack.start()
    async with LocalStripe() as stripe:
        yield World(slack, stripe, slack.workspace.add_channel("payments"))
    await slack.stop()


async def test_answers_are_tried_out_and_written_for_their_owner_alone(world: World, tmp_path: Path) -> None:
    status, told = await world.answer(
        "n",
        "xoxp-of-a-person",
        "xoxb-unknown",
        world.slack.workspace.bot_token,
        world.slack.app_token,
        world.channel,
        world.stripe.api_key,
        "very private",
        "whsec_1, whsec_2",
        "3000",
        f"sqlite:///{tmp_path}/paylink.sqlite3",
    )

    assert status == 0, told
    assert "✗ SLACK_BOT_TOKEN must be the app's bot token" in told
    assert "✗ Slack: it refuses SLACK_BOT_TOKEN (invalid_auth)." in told
    assert "✓ Slack: the bot token is for" in told
    assert f"✓ Notification channel: the bot can read {world.channel}." in told
    assert "✓ Stripe: the key has every permission" in told
    file = tmp_path / ".env"
    assert file.stat().st_mode & 0o777 == 0o600
    for private in (
        world.slack.workspace.bot_token,
        world.slack.app_token,
        world.stripe.api_key,
        "very private",
    ):
        assert private not in told
    settings = load_settings({}, tmp_path)
    require_for_serving(settings)
    assert secret(settings.slack_bot_token) == world.slack.workspace.bot_token
    assert settings.webhook_secrets == ("whsec_1", "whsec_2")
    assert (settings.port, settings.paylink_notification_channel) == (3000, world.channel)


async def test_without_socket_mode_it_asks_for_http_and_takes_what_is_insisted_on(
    world: World, tmp_path: Path
) -> None:
    token, key = world.slack.workspace.bot_token, world.stripe.api_key
    status, told = await world.answer(
        "", token, "", "it's \\ secret", "it'sasecret", "3000", "C0NOWHERE", "C0NOWHERE", key, "", ""
    )

    assert status == 0, told
    assert "Notification channel: C0NOWHERE can't be read (channel_not_found)" in told
    settings = load_settings({}, tmp_path)
    require_for_serving(settings)
    assert secret(settings.slack_signing_secret) == "it'sasecret"
    assert settings.paylink_notification_channel == "C0NOWHERE"


@pytest.mark.parametrize("answer", ["n", ""])
async def test_a_file_that_is_there_is_written_over_only_if_one_says_so(
    answer: str, world: World, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=1\n")

    status, _ = await world.answer(answer)

    assert status != 0
    assert (tmp_path / ".env").read_text() == "PORT=1\n"
    assert not (tmp_path / ".env.new").exists()


async def test_where_workspaces_install_it_a_key_is_made_and_no_token_asked_for(
    world: World, tmp_path: Path
) -> None:
    asked = (
        "y",
        "https://pay.example",
        "1.2",
        "client secret",
        "clientsecret",
        world.slack.app_token,
        "3000",
        "",
    )
    status, told = await world.answer(*asked)

    assert status == 0, told
    settings = load_settings({}, tmp_path)
    require_for_serving(settings)
    assert settings.installing
    [key] = settings.secret_keys
    assert key not in told

    status, told = await world.answer("y", *asked)

    assert status == 0, told
    assert load_settings({}, tmp_path).secret_keys == (key,), "what is sealed with it would never open again"
