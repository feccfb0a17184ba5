"""Which details modals are open: each is followed for ten minutes, shown anew by one process, and nobody else's business."""

from dataclasses import replace
from unittest.mock import AsyncMock

import pytest
import sqlalchemy as sa

from domain.coordination import housekeeping
from domain.errors import DatabaseUnavailable
from domain.models import OpenView
from domain.overview.summaries import FollowedView
from domain.summaries import Actor
from tests.domain.factories import TEAM, make_invoice
from tests.domain.world import ADA, World

OTHER = "T0OTHER"
EVE = Actor(OTHER, "U0EVE")
MINUTE = 60_000


@pytest.fixture
def view(world: World) -> FollowedView:
    return FollowedView("V1", ADA, make_invoice(world.db, "INV-1"), "7|1|", "before")


async def follow(world: World, *views: FollowedView) -> None:
    for view in views:
        world.desk.follow_view(view)
    await world.desk.write_down_followed()


async def followed(world: World, team: str = TEAM) -> list[FollowedView]:
    return list(await world.desk.list_followed(team))


def let_pass(world: World, minutes: float) -> None:
    earlier = {"until": sa.type_coerce(OpenView.until, sa.BigInteger) - int(minutes * MINUTE)}
    world.db.run(lambda session: session.execute(sa.update(OpenView).values(**earlier)))


async def test_it_is_followed_as_it_was_shown_last(world: World, view: FollowedView) -> None:
    await follow(world, view)
    assert await followed(world) == [view]
    later = replace(view, invoice_id=make_invoice(world.db, "INV-2"), shown="after", carried="")
    await follow(world, later)
    assert await followed(world) == [later]


async def test_it_is_followed_for_ten_minutes_after_the_last_click(world: World, view: FollowedView) -> None:
    await follow(world, view)
    let_pass(world, 9.5)
    await world.desk.follow_longer(ADA, "V1")
    let_pass(world, 9.5)
    assert await followed(world) == [view]
    let_pass(world, 1)
    assert await followed(world) == []


async def test_what_is_followed_no_longer_is_deleted(world: World, view: FollowedView) -> None:
    await follow(world, view, replace(view, view_id="V2"))
    let_pass(world, 11)
    await world.desk.follow_longer(ADA, "V2")
    await housekeeping.prune(world.db, world.clock)
    assert world.db.run(lambda session: session.scalars(sa.select(OpenView.view_id)).all()) == ["V2"]


async def test_one_of_two_processes_shows_it_anew(world: World, view: FollowedView) -> None:
    await follow(world, view)
    assert await world.desk.mark_followed(view, "after")
    assert not await world.desk.mark_followed(view, "after")
    assert await followed(world) == [replace(view, shown="after")]


async def test_one_that_was_closed_is_forgotten(world: World, view: FollowedView) -> None:
    await follow(world, view)
    await world.desk.forget_view(view)
    assert await followed(world) == []


async def test_another_organisation_neither_follows_nor_touches_it(world: World, view: FollowedView) -> None:
    await world.serve(OTHER)
    await follow(world, replace(view, actor=EVE))
    assert await followed(world, OTHER) == []
    await follow(world, view)
    theirs = replace(view, actor=EVE, invoice_id=make_invoice(world.db, organisation_id=2))
    await follow(world, theirs)
    assert not await world.desk.mark_followed(theirs, "after")
    await world.desk.forget_view(theirs)
    assert await followed(world, OTHER) == []
    assert await followed(world) == [view]


async def test_what_could_not_be_written_down_is_written_down_later(
    world: World, view: FollowedView, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.desk.follow_view(view)
    world.desk.follow_view(replace(view, view_id="V2"))
    with monkeypatch.context() as broken:
        broken.setattr(world.db, "background_write", AsyncMock(side_effect=DatabaseUnavailable))
        with pytest.raises(DatabaseUnavailable):
            await world.desk.write_down_followed()
    later = replace(view, shown="after")
    await follow(world, later)
    assert {one.view_id: one.shown for one in await followed(world)} == {"V1": "after", "V2": "before"}
