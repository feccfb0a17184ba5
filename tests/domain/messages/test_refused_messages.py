"""Messages that Slack refuses for a reason that nobody has heard of."""

import pytest

from domain.messages.poster_port import NotPosted, Posted
from domain.messages.summaries import Announcement
from domain.models import Organisation
from domain.outbox import enqueuing
from tests.domain.messages.test_announcing import enqueue, make_due, states
from tests.domain.world import ADA, FakePoster, World


class Picky(FakePoster):
    """Refuses some messages with a code that nobody has heard of."""

    def __init__(self, *refused: int) -> None:
        super().__init__()
        self.refused = set(refused)
        self.tried: list[int] = []

    async def post(self, announcement: Announcement) -> Posted:
        self.tried.append(announcement.id)
        if announcement.id in self.refused:
            raise NotPosted("message_limit_exceeded", unforeseen=True)
        return await super().post(announcement)


async def try_again(world: World, times: int) -> None:
    for _ in range(times):
        make_due(world)
        await world.announcing.deliver_due()


def channel_problem(world: World, organisation: int) -> str | None:
    return world.db.run(lambda session: session.get_one(Organisation, organisation).channel_problem)


async def test_what_is_refused_for_no_known_reason_lets_others_pass_and_ends_if_only_it_is_refused(
    world: World, organisation: int
) -> None:
    world.announcing._pause = no_pause
    picky = world.posters[organisation] = Picky(1)
    enqueue(world, organisation, "paid:1", "paid:2", "paid:3")

    await world.announcing.deliver_due()
    assert (picky.tried, states(world)) == ([1], ["waiting", "waiting", "waiting"])
    await try_again(world, 1)
    assert picky.tried == [1, 1]
    await try_again(world, 1)
    assert picky.tried == [1, 1, 1, 2, 3]
    assert channel_problem(world, organisation) is None
    await try_again(world, 1)
    assert states(world) == ["dead", "posted", "posted"]
    (stuck,) = world.db.run(enqueuing.list_stuck)
    assert stuck.problem == "message_limit_exceeded"
    shown = await world.desk.get_home(ADA)
    assert (shown.dead, shown.dead_because) == (1, ("message_limit_exceeded",))


@pytest.mark.parametrize("messages", [1, 3])
async def test_a_channel_that_takes_nothing_for_no_known_reason_is_told_and_loses_nothing(
    world: World, organisation: int, messages: int
) -> None:
    world.announcing._pause = no_pause
    picky = world.posters[organisation] = Picky(1, 2, 3)
    enqueue(world, organisation, *(f"paid:{n + 1}" for n in range(messages)))

    await world.announcing.deliver_due()
    await try_again(world, 5)
    assert channel_problem(world, organisation) == "message_limit_exceeded"
    assert states(world) == ["waiting"] * messages

    picky.refused.clear()
    await try_again(world, 2)
    assert states(world) == ["posted"] * messages
    assert channel_problem(world, organisation) is None


async def test_a_direct_message_that_is_refused_for_no_known_reason_ends(
    world: World, organisation: int
) -> None:
    world.announcing._pause = no_pause
    world.posters[organisation] = Picky(1)
    enqueue(world, organisation, "bulk:1", "bulk:2", destination="U0ADA")
    await world.announcing.deliver_due()
    await try_again(world, 3)
    assert states(world) == ["dead", "posted"]


async def no_pause(seconds: float) -> None:
    """Nobody waits for Slack's pace here."""
