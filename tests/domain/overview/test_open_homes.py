"""Whose Home is open: it is followed for half an hour, shown anew by one process, every ten seconds at most."""

import sqlalchemy as sa

from domain.coordination import housekeeping
from domain.models import OpenHome
from domain.overview.summaries import FollowedHome
from domain.summaries import Actor
from tests.domain.factories import TEAM
from tests.domain.world import ADA, World

OTHER = "T0OTHER"
SHOWN = FollowedHome(ADA, "before")


async def due(world: World, team: str = TEAM) -> list[FollowedHome]:
    return list(await world.desk.list_due_homes(team))


def let_pass(world: World, seconds: int) -> None:
    earlier = {
        column.key: sa.type_coerce(column, sa.BigInteger) - seconds * 1_000
        for column in (OpenHome.not_before, OpenHome.until)
    }
    world.db.run(lambda session: session.execute(sa.update(OpenHome).values(**earlier)))


async def test_it_is_followed_by_whatever_process_for_half_an_hour_after_it_was_opened(world: World) -> None:
    await world.desk.follow_home(ADA, "before")
    assert await due(world) == []
    assert await world.desk.list_followed_teams() == {TEAM}
    let_pass(world, 10)
    assert await due(world) == [SHOWN]
    await world.desk.follow_home(ADA, "after")
    assert await due(world) == []
    let_pass(world, 1_790)
    assert await due(world) == [FollowedHome(ADA, "after")]
    let_pass(world, 10)
    assert await due(world) == []
    assert await world.desk.list_followed_teams() == frozenset()
    await housekeeping.prune(world.db, world.clock)
    assert world.db.run(lambda session: session.scalars(sa.select(OpenHome.user_id)).all()) == []


async def test_one_of_two_processes_publishes_it_and_what_slack_did_not_take_is_published_again(
    world: World,
) -> None:
    await world.desk.follow_home(ADA, "before")
    let_pass(world, 10)
    assert await world.desk.take_home(SHOWN)
    assert not await world.desk.take_home(SHOWN)
    let_pass(world, 10)
    assert await due(world) == [SHOWN]
    assert await world.desk.take_home(SHOWN)
    await world.desk.mark_home(SHOWN, "after")
    let_pass(world, 10)
    assert await due(world) == [FollowedHome(ADA, "after")]
    assert not await world.desk.take_home(SHOWN)


async def test_it_is_nobody_elses_business(world: World) -> None:
    await world.serve(OTHER)
    await world.desk.follow_home(ADA, "before")
    let_pass(world, 10)
    assert await due(world, OTHER) == []
    theirs = FollowedHome(Actor(OTHER, ADA.user_id), "before")
    assert not await world.desk.take_home(theirs)
    await world.desk.mark_home(theirs, "theirs")
    assert await due(world) == [SHOWN]
