"""Each announcement once, in order for each channel, and never blindly a second time."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import database_now
from domain.messages import transactions
from domain.messages.announcing import ONE_A_SECOND, Announcing
from domain.messages.claims import Claim
from domain.messages.poster_port import NotPosted, Posted, PostUnknown
from domain.messages.summaries import Announcement
from domain.models import Organisation, OutboxMessage
from domain.outbox import enqueuing
from domain.states import AnnouncementKind, Right
from domain.summaries import PROGRAM, Actor
from tests.domain.factories import NOW, TEAM, make_invoice, make_organisation
from tests.domain.world import ADA, FakePoster, World
from tests.patience import PATIENCE


@pytest.fixture
def organisation(world: World) -> int:
    return make_organisation(world.db)


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

    async def claim_slowly() -> list[Claim]:
        busy = bool(world.announcing._posting)
        found = await claim()
        if busy and not looked.is_set():
            assert not found
            looked.set()
            await ended.wait()
        return found

    monkeypatch.setattr(world.poster, "post", post_slowly)
    monkeypatch.setattr(world.announcing, "_claim_due", claim_slowly)
    delivering = asyncio.create_task(world.announcing.deliver_due())
    await looked.wait()
    slow.set()
    await world.announcing.finish()
    ended.set()
    await delivering
    assert states(world) == ["posted", "posted"]


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
