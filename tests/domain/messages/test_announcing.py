"""Each announcement once, in order for each channel, and never blindly a second time."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import database_now
from domain.messages import transactions
from domain.messages.announcing import ONE_A_SECOND
from domain.messages.claims import Claim
from domain.messages.poster_port import NotPosted, Posted, PostUnknown
from domain.messages.summaries import Announcement
from domain.models import Organisation, OutboxMessage
from domain.outbox import enqueuing
from domain.states import AnnouncementKind, Right
from domain.summaries import PROGRAM, Actor
from tests.domain.factories import NOW, TEAM, make_invoice, make_organisation
from tests.domain.world import ADA, World
from tests.patience import PATIENCE


def enqueue(world: World, organisation: int, *subjects: str, destination: str = "") -> None:
    def add(session: Session) -> None:
        for subject in subjects:
            enqueuing.enqueue(
                session,
                AnnouncementKind.PAID,
                subject,
                organisation_id=organisation,
                now=NOW,
                destination=destination,
            )

    world.db.run(add)


def states(world: World) -> list[str]:
    return world.db.run(
        lambda session: list(session.scalars(sa.select(OutboxMessage.state).order_by(OutboxMessage.id)))
    )


def make_due(world: World) -> None:
    world.db.run(
        lambda session: session.execute(
            sa.update(OutboxMessage).values(next_attempt_at=database_now(session) - timedelta(seconds=1))
        )
    )


async def test_a_fact_is_enqueued_once(world: World, organisation: int) -> None:
    enqueue(world, organisation, "paid:1", "paid:1")
    await world.announcing.deliver_due()
    assert len(world.poster.posted) == 1
    assert states(world) == ["posted"]


async def test_only_the_organisation_whose_token_this_process_has_is_announced_to(
    world: World, organisation: int
) -> None:
    """Another workspace's channel would look lost, and its people's messages undeliverable."""
    other = make_organisation(world.db, "T0OTHER", channel="C0OTHER")
    enqueue(world, other, "paid:1")
    enqueue(world, other, "bulk:1", destination="U0EVE")
    enqueue(world, organisation, "paid:2")
    world.posters.clear()
    await world.announcing.deliver_due()
    assert states(world) == ["waiting", "waiting", "waiting"]

    world.posters[organisation] = world.poster
    await world.announcing.deliver_due()
    assert states(world) == ["waiting", "waiting", "posted"]

    world.posters[other] = world.poster
    await world.announcing.deliver_due()
    assert states(world) == ["posted", "posted", "posted"]


@pytest.mark.usefixtures("one_a_second")
async def test_messages_to_a_channel_keep_their_order_and_pace(world: World, organisation: int) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(seconds)

    world.announcing._pause = pause
    enqueue(world, organisation, "paid:1", "paid:2", "paid:3")
    before = asyncio.get_running_loop().time()
    await world.announcing.deliver_due()
    assert [message.id for message in world.poster.posted] == [1, 2, 3]
    assert asyncio.get_running_loop().time() - before >= 2.0
    assert len(pauses) == 3
    assert max(pauses) <= ONE_A_SECOND.total_seconds()


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_lost_answer_is_looked_for_before_it_is_posted_again(
    world: World, organisation: int, arrived: bool
) -> None:
    world.poster.posts_in_doubt = arrived
    world.poster.troubles = [PostUnknown("time-out")]
    enqueue(world, organisation, "paid:1")
    await world.announcing.deliver_due()
    await asyncio.sleep(0.3)
    await world.announcing.deliver_due()
    assert len(world.poster.posted) == 1
    assert states(world) == ["posted"]


async def test_where_the_history_cant_be_read_nothing_is_posted_blindly(
    world: World, organisation: int
) -> None:
    world.poster.troubles, world.poster.unreadable = [PostUnknown("time-out")], "missing_scope"
    enqueue(world, organisation, "paid:1", "paid:2")
    await world.announcing.deliver_due()
    await asyncio.sleep(0.3)
    await world.announcing.deliver_due()
    assert states(world) == ["unknown", "posted"]
    assert len(world.poster.posted) == 2
    (stuck,) = world.db.run(enqueuing.list_stuck)
    assert stuck.problem == "missing_scope"
    assert world.db.run(enqueuing.resend, 1)
    await world.announcing.deliver_due()
    assert states(world) == ["posted", "posted"]


async def test_a_lost_channel_loses_nothing_and_is_told_to_people(world: World, organisation: int) -> None:
    seen = (await world.desk.get_invoice(ADA, make_invoice(world.db))).amount
    await world.desk.create_link(ADA, 1, seen, patience=PATIENCE)
    # A program that created one isn't written to.
    program = Actor(TEAM, f"{PROGRAM}ledger", rights=frozenset(Right))
    await world.desk.create_link(program, make_invoice(world.db), seen, patience=PATIENCE)
    world.poster.troubles = [NotPosted("is_archived", channel_lost=True)]
    enqueue(world, organisation, "paid:1", "paid:2")
    await world.announcing.deliver_due()
    assert [(message.destination, message.kind) for message in world.poster.posted] == [
        (ADA.user_id, AnnouncementKind.CHANNEL_LOST)
    ]
    home = await world.desk.get_home(ADA)
    assert home.organisation.channel_problem == "is_archived"
    assert home.undelivered == 2
    make_due(world)
    await world.announcing.deliver_due()
    assert [message.id for message in world.poster.posted[1:]] == [1, 2]
    assert (await world.desk.get_home(ADA)).organisation.channel_problem is None


async def test_without_a_channel_announcements_wait(world: World, organisation: int) -> None:
    world.db.run(lambda session: session.execute(sa.update(Organisation).values(channel=None)))
    enqueue(world, organisation, "paid:1")
    await world.announcing.deliver_due()
    assert states(world) == ["waiting"]
    world.db.run(lambda session: session.execute(sa.update(Organisation).values(channel="C0LATER")))
    await world.announcing.deliver_due()
    assert [message.destination for message in world.poster.posted] == ["C0LATER"]


async def test_a_message_that_slack_never_takes_is_dead_and_the_next_goes_on(
    world: World, organisation: int
) -> None:
    world.poster.troubles = [NotPosted("invalid_blocks", final=True)] * 3
    enqueue(world, organisation, "paid:1", "paid:2")
    for _ in range(3):
        make_due(world)
        await world.announcing.deliver_due()
    assert states(world) == ["dead", "posted"]


async def test_a_slack_that_was_away_for_days_leaves_messages_waiting(
    world: World, organisation: int
) -> None:
    enqueue(world, organisation, "paid:1")
    world.db.run(lambda session: session.execute(sa.update(OutboxMessage).values(attempts=5_000)) and None)
    world.poster.troubles = [NotPosted("cannot_connect")]
    await world.announcing.deliver_due()
    assert states(world) == ["waiting"]
    make_due(world)
    await world.announcing.deliver_due()
    assert states(world) == ["posted"]


async def test_slacks_wait_is_honoured(world: World, organisation: int) -> None:
    world.poster.troubles = [NotPosted("ratelimited", retry_after=1.5)]
    enqueue(world, organisation, "paid:1")
    before = asyncio.get_running_loop().time()
    while states(world) != ["posted"]:
        await world.announcing.deliver_due()
        await asyncio.sleep(0.05)
    assert asyncio.get_running_loop().time() - before >= 1.5


async def test_a_direct_message_in_doubt_is_looked_for_where_the_person_got_one_before_and_else_sent_again(
    world: World, organisation: int
) -> None:
    for subject, posts in (("bulk:1", 2), ("bulk:2", 1)):
        world.poster.posted.clear()
        world.poster.troubles = [PostUnknown("time-out")]
        enqueue(world, organisation, subject, destination="U0ADA")
        async with asyncio.timeout(PATIENCE):
            while states(world)[-1] != "posted":
                await world.announcing.deliver_due()
                await asyncio.sleep(0.05)
        assert len(world.poster.posted) == posts


async def test_what_a_slow_post_held_up_is_posted_by_the_same_delivery(
    world: World, organisation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim that finds a channel's first message still under way may return after that has been posted."""
    enqueue(world, organisation, "paid:1", "paid:2")
    slow, looked, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    post, claim = world.poster.post, world.announcing._claim_due

    async def post_slowly(announcement: Announcement) -> Posted:
        await slow.wait()
        return await post(announcement)

    async def claim_slowly() -> AsyncIterator[tuple[Claim, Any]]:
        busy = bool(world.announcing._posting)
        found = [each async for each in claim()]
        if busy and not looked.is_set():
            assert not found
            looked.set()
            await ended.wait()
        for each in found:
            yield each

    monkeypatch.setattr(world.poster, "post", post_slowly)
    monkeypatch.setattr(world.announcing, "_claim_due", claim_slowly)
    delivering = asyncio.create_task(world.announcing.deliver_due())
    await looked.wait()
    slow.set()
    await world.announcing.finish()
    ended.set()
    await delivering
    assert states(world) == ["posted", "posted"]


async def test_what_one_organisation_was_claimed_is_posted_before_the_others_claims_are_looked_for(
    world: World, organisation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease of the first would end while a thousand others are claimed, on a slow database."""
    other = make_organisation(world.db, "T0OTHER", channel="C0OTHER")
    world.posters[other] = world.poster
    enqueue(world, organisation, "paid:1")
    enqueue(world, other, "paid:2")
    first_posted, claim_due, post = threading.Event(), transactions.claim_due, world.poster.post

    async def posting(announcement: Announcement) -> Posted:
        posted = await post(announcement)
        first_posted.set()
        return posted

    monkeypatch.setattr(world.poster, "post", posting)

    def claiming(session: Session, organisation_id: int, lease: Lease, *, any_left: bool) -> list[Claim]:
        if organisation_id == other:
            assert first_posted.wait(PATIENCE), "nothing is posted while others are claimed"
        return claim_due(session, organisation_id, lease, any_left=any_left)

    monkeypatch.setattr(transactions, "claim_due", claiming)
    await world.announcing.deliver_due()
    assert states(world) == ["posted", "posted"]
