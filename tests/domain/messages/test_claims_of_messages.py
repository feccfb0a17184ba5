"""Who may post a message: one process at a time, and another one once the first is dead or too late."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from domain.coordination.leases import Lease
from domain.database import database_now
from domain.messages import transactions
from domain.messages.announcing import Announcing
from domain.messages.claims import Claim
from domain.models import OutboxMessage
from tests.domain.factories import NOW, make_organisation
from tests.domain.messages.test_announcing import enqueue, states
from tests.domain.world import World


def test_what_a_dead_process_had_claimed_is_left_to_its_own_organisations_processes(
    world: World, organisation: int
) -> None:
    other = make_organisation(world.db, "T0OTHER", channel="C0OTHER")
    enqueue(world, other, "paid:1")
    assert world.db.run(transactions.claim_due, other, lease_of("dead"))
    end_leases(world)
    assert world.db.run(transactions.claim_due, organisation, lease_of("me")) == []
    assert states(world) == ["sending"]
    assert world.db.run(transactions.claim_due, other, lease_of("me"))


async def test_a_process_that_dies_while_posting_is_taken_over_without_a_second_post(
    world: World, organisation: int
) -> None:
    enqueue(world, organisation, "paid:1")
    (claim,) = world.db.run(transactions.claim_due, organisation, lease_of("dead"))
    assert world.db.run(transactions.begin_posting, claim)
    await world.poster.post(claim.announcement)
    await world.announcing.deliver_due()
    assert states(world) == ["sending"]
    world.db.run(
        lambda session: session.execute(
            sa.update(OutboxMessage).values(lease_until=database_now(session) - timedelta(seconds=1))
        )
    )
    # Slack may still be taking it: half a lease for the attempt, then the margin.
    await world.announcing.deliver_due()
    assert states(world) == ["waiting"]
    world.db.run(
        lambda session: session.execute(
            sa.update(OutboxMessage).values(next_attempt_at=database_now(session) - timedelta(seconds=1))
        )
    )
    await world.announcing.deliver_due()
    assert states(world) == ["posted"]
    assert len(world.poster.posted) == 1


async def test_whoever_was_suspended_between_claim_and_post_finds_its_message_taken_over(
    world: World, organisation: int
) -> None:
    """The attempt was written down with the claim, and by now it may be another one's."""
    enqueue(world, organisation, "paid:1")
    ((claim, turn),) = [each async for each in world.announcing._claim_due()]
    assert turn.begun_at is not None
    end_leases(world)
    suspended = replace(turn, begun_at=turn.begun_at - world.announcing._lease.length.total_seconds() / 2)
    await world.announcing._deliver(claim, suspended)
    assert world.poster.posted == []


def lease_of(owner: str) -> Lease:
    return Lease(owner, timedelta(seconds=20), timedelta(seconds=0.2))


def end_leases(world: World) -> None:
    world.db.run(
        lambda session: session.execute(
            sa.update(OutboxMessage).values(lease_until=database_now(session) - timedelta(seconds=1))
        )
    )


def test_a_claim_that_ended_counts_no_more_even_if_its_process_has_the_next_one(
    world: World, organisation: int
) -> None:
    enqueue(world, organisation, "paid:1")

    def claim() -> Claim:
        (claimed,) = world.db.run(transactions.claim_due, organisation, lease_of("me"))
        return claimed

    late = claim()
    end_leases(world)
    current = claim()

    assert not world.db.run(transactions.begin_posting, late)
    assert world.db.run(transactions.begin_posting, current)
    world.db.run(transactions.record_not_posted, late, "ratelimited", timedelta(0), dead=False)
    world.db.run(transactions.record_doubt, late, timedelta(0))
    world.db.run(transactions.record_unknown, late, "missing_scope")
    assert states(world) == ["sending"]


async def test_a_process_that_waits_for_longer_than_its_lease_posts_once(
    world: World, organisation: int
) -> None:
    """Slack said to wait; its own next claim of the message is the one that counts."""
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def pause(_: float) -> None:
        waiting.set()
        await go_on.wait()

    announcing = Announcing(
        world.db, {organisation: world.poster}, lease_of("me"), clock=lambda: NOW, pause=pause
    )
    enqueue(world, organisation, "paid:1")
    first = asyncio.create_task(announcing.deliver_due())
    await waiting.wait()
    waiting.clear()
    end_leases(world)
    await waiting.wait()
    go_on.set()
    await first

    assert len(world.poster.posted) == 1
    assert states(world) == ["posted"]
