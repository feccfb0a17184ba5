"""Socket Mode against the local Slack: connections are replaced and nothing is lost."""

import asyncio

from tests.bot.web.sockets import World, connected, world

__all__ = ["world"]


async def test_what_comes_is_acknowledged(world: World) -> None:
    await connected(world)

    assert await world.echoes("hello")


async def test_when_slack_asks_for_it_a_new_connection_takes_over_before_the_old_one_ends(
    world: World,
) -> None:
    await connected(world)
    [first] = world.slack.sockets.connections

    await world.slack.sockets.disconnect("warning")
    await world.until(lambda: len(world.slack.sockets.connections) == 2)

    assert first in world.slack.sockets.connections
    assert await world.echoes("one")
    assert await world.echoes("two")


async def test_an_answer_that_outlives_its_connection_goes_out_on_the_next(world: World) -> None:
    await connected(world)
    world.hold.clear()
    answering = asyncio.create_task(world.echoes("hello"))
    await world.until(lambda: world.tracker.under_way > 0)

    await world.slack.sockets.disconnect("refresh_requested")
    await world.until(lambda: len(world.slack.sockets.connections) == 1)
    world.hold.set()

    assert await answering


async def test_a_connection_that_is_cut_is_replaced(world: World) -> None:
    await connected(world)

    await world.slack.sockets.cut()
    await world.slack.connected()

    assert await world.echoes("hello")


async def test_a_connection_that_falls_silent_is_replaced(world: World) -> None:
    # So soon a busy machine may take any connection for a silent one; here that is no harm.
    world.mode._ping_seconds = 0.3
    await connected(world)
    [first] = world.slack.sockets.connections

    world.slack.sockets.silence()
    await world.until(lambda: any(one is not first for one in world.slack.sockets.connections))
    await world.until(lambda: first not in world.slack.sockets.connections)

    assert await world.echoes("hello")


async def test_after_the_stop_of_intake_nothing_more_is_taken(world: World) -> None:
    await connected(world)
    world.slack.app.limits.ack_seconds = 0.3

    world.mode.stop_intake()

    assert not await world.echoes("hello")
