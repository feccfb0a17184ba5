"""What the bot does while Slack, Stripe or the database can't be reached, at its start and later."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from bot.run.service import Service
from bot.settings import load_settings
from bot.stop import Stop
from bot.wiring import build
from tests.acceptance.conftest import World, Worlds
from tests.patience import PATIENCE


async def ready(world: World) -> tuple[bool, dict[str, str]]:
    status, said = await world.get("/readyz")
    assert (status == 200) is said["ready"]
    return said["ready"], said["reasons"]


async def until_ready(world: World) -> None:
    async with asyncio.timeout(PATIENCE):
        while not (await ready(world))[0]:  # noqa: ASYNC110 - asked over HTTP, which tells of no change
            await asyncio.sleep(0.05)


async def furnish(worlds: Worlds, **more: str) -> World:
    """A world whose bot has been started, not awaited."""
    slack, stripe = await worlds.services("socket")
    alice = slack.workspace.add_person("alice")
    channel = slack.workspace.add_channel("payments")
    env = worlds.settings(slack, stripe, "socket", channel, **more)
    return World(slack, stripe, Service(build(load_settings(env, worlds.directory))), alice, channel, env)


async def test_it_starts_while_slack_and_stripe_are_away_and_works_once_they_are_back(
    sqlite_worlds: Worlds,
) -> None:
    world = await furnish(sqlite_worlds)
    sqlite_worlds.stack.push_async_callback(world.service.stop)
    world.slack.app.faults.outage = True
    world.stripe.faults.outage()

    await world.service.start()
    await world.until(lambda: "slack" in world.service.bot.health.reasons)
    assert (await world.get("/healthz"))[0] == 200
    assert (await ready(world))[1]["slack"] == "Slack can't be reached."
    world.slack.app.faults.outage = False
    await world.slack.connected()
    await world.until(lambda: "stripe" in world.service.bot.health.reasons)
    assert not (await ready(world))[0]
    world.stripe.faults.clear()
    await until_ready(world)

    world.add_invoice("INV-1001")
    await world.workspace.command(world.alice, world.channel, "/invoice INV-1001")
    await world.until(lambda: "Create Payment Link" in world.top())


async def test_a_link_asked_for_while_stripe_is_away_is_created_when_it_is_back(
    sqlite_worlds: Worlds,
) -> None:
    world = await sqlite_worlds.make()
    world.add_invoice("INV-1001")
    await world.workspace.command(world.alice, world.channel, "/invoice INV-1001")
    await world.until(lambda: "Create Payment Link" in world.top())

    world.stripe.faults.outage()
    await world.press("Create Payment Link")
    await world.until(lambda: "Being created" in world.top())
    await world.until(lambda: "stripe" in world.service.bot.health.reasons)
    assert (await ready(world))[1] == {"stripe": "Stripe can't be reached."}
    world.stripe.faults.clear()
    await world.until(lambda: "Pending Payment" in world.top())

    assert len(world.stripe.links()) == 1
    await until_ready(world)


async def test_it_starts_while_the_database_is_away_and_says_so(sqlite_worlds: Worlds) -> None:
    world = await furnish(sqlite_worlds, DATABASE_URL="postgresql://paylink@127.0.0.1:1/paylink")
    sqlite_worlds.stack.push_async_callback(world.service.stop)

    await world.service.start()
    await world.until(lambda: "database" in world.service.bot.health.reasons)

    assert (await ready(world))[1]["database"] == "The database can't be reached."
    assert await world.get("/healthz") == (200, "ok\n")


async def started_with(worlds: Worlds, **more: str) -> str:
    """The sentence with which the bot refuses to go on."""
    world = await furnish(worlds, **more)
    try:
        await world.service.start()
        with pytest.raises(Stop) as stop:
            await world.service.run_until(asyncio.Event())
        assert stop.value.status == 2
        return stop.value.sentence
    finally:
        await world.service.stop()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-unknown"}, "Slack refuses SLACK_BOT_TOKEN (invalid_auth)"),
        ({"SLACK_APP_TOKEN": "xapp-unknown"}, "Slack refuses SLACK_APP_TOKEN (invalid_auth)"),
    ],
)
async def test_a_token_that_slack_refuses_ends_the_start_with_a_sentence(
    more: dict[str, str], sentence: str, sqlite_worlds: Worlds
) -> None:
    assert (await started_with(sqlite_worlds, **more)).startswith(sentence)


@pytest.mark.postgres
async def test_a_database_without_a_schema_ends_the_start_with_a_sentence(
    sqlite_worlds: Worlds, blank_postgresql_url: str
) -> None:
    sentence = await started_with(sqlite_worlds, DATABASE_URL=blank_postgresql_url)

    assert sentence == "The database has no schema yet: run `paylink db upgrade` first."


async def test_a_port_that_is_taken_ends_the_start_with_a_sentence(sqlite_worlds: Worlds) -> None:
    world = await sqlite_worlds.make()
    second = Service(
        build(load_settings(world.env | {"PORT": str(world.service.port)}, sqlite_worlds.directory))
    )

    with pytest.raises(Stop, match=r"^PORT \d+ can't be used"):
        await second.start()
    await second.stop()


async def test_variables_of_slacks_that_happen_to_be_set_change_nothing(
    sqlite_worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_VERIFICATION_TOKEN"):
        monkeypatch.setenv(name, "1.2")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-of-another")
    world = await sqlite_worlds.make(SLACK_CLIENT_ID="1.2", SLACK_CLIENT_SECRET="x")
    world.add_invoice("INV-1001")

    await world.workspace.command(world.alice, world.channel, "/invoice INV-1001")

    await world.until(lambda: "Create Payment Link" in world.top())


async def test_in_socket_mode_slacks_requests_are_not_served_over_http(sqlite_worlds: Worlds) -> None:
    world = await sqlite_worlds.make("socket")

    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{world.service.port}/slack/events", data="{}") as answer,
    ):
        assert answer.status == 404


async def test_without_a_webhook_secret_every_delivery_is_refused(sqlite_worlds: Worlds) -> None:
    world = await sqlite_worlds.make("socket", STRIPE_WEBHOOK_SECRET="")

    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{world.service.port}/stripe/webhook", data="{}") as answer,
    ):
        assert answer.status == 400


async def test_two_bots_run_side_by_side_in_one_process(tmp_path: Any) -> None:
    async with AsyncExitStack() as stack:
        made = []
        for name in ("one", "two"):
            worlds = Worlds(stack, f"sqlite:///{tmp_path}/{name}/paylink.sqlite3", tmp_path)
            made.append(await worlds.make())
        for world, number in zip(made, ("INV-1", "INV-2"), strict=True):
            world.add_invoice(number)
            await world.workspace.command(world.alice, world.channel, f"/invoice {number}")
            await world.until(lambda: "Create Payment Link" in world.top())  # noqa: B023 - looked at right here
        counted = [(await world.get("/metrics"))[1] for world in made]

    assert all('paylink_ack_seconds_count{transport="socket"} 1.0' in text for text in counted)
