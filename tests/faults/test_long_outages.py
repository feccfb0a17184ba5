"""Slack and Stripe away for an hour: nothing is lost, and what waited is done soon after they are back."""

import asyncio
import itertools
import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import Database
from domain.messages import announcing, transactions
from domain.messages.announcing import Announcing
from domain.messages.poster_port import NotPosted, Posted, PostUnknown
from domain.messages.summaries import Announcement
from domain.models import OutboxMessage
from domain.outbox import enqueuing
from domain.states import AnnouncementKind
from tests.domain.factories import NOW, make_organisation
from tests.faults.timeless import Clock
from tests.patience import PATIENCE

# For each of three channels.
MESSAGES = 100 if os.environ.get("PAYLINK_MODEL") == "long" else 20
RETRY_AFTER = 7.0
TICK = 1.0
TURNS = 20
SOON = timedelta(seconds=60)


class VirtualClock(Clock):
    """Stands still while anybody works, and is moved on by whoever waits: nothing takes longer on a busy machine."""

    def __init__(self) -> None:
        self.time = NOW
        self._at_work = 0
        self._until: list[datetime] = []

    def watch(self, db: Database) -> None:
        """Stand still during its transactions."""
        submit = db._submit

        async def counted(*work: Any, **named: Any) -> Any:
            self._at_work += 1
            try:
                return await submit(*work, **named)
            finally:
                self._at_work -= 1

        db._submit = counted  # type: ignore[method-assign]

    def now(self) -> datetime:
        return self.time

    def in_sql(self, clock: str) -> str:
        return str(int(self.time.timestamp() * 1000))

    async def pause(self, seconds: float) -> None:
        over = self.time + timedelta(seconds=seconds)
        self._until.append(over)
        idle = 0
        while self.time < over:
            idle = 0 if self._at_work else idle + 1
            # Between two transactions of one task are some turns of the loop; whoever waits for something sooner goes first.
            if idle > TURNS and over == min(self._until):
                self.time = over
            await asyncio.sleep(0 if idle else 0.001)
        self._until.remove(over)


class Slack:
    """Away, or limiting the first posts of each channel after its return, or well."""

    def __init__(self, clock: Clock) -> None:
        self.away = True
        self.limits = 4
        self.posted: dict[str, list[Announcement]] = defaultdict(list)
        self.refused_until: dict[str, datetime] = {}
        self.too_early: list[Announcement] = []
        self._clock = clock
        self._limited: dict[str, int] = defaultdict(int)
        self._turn = itertools.count()

    async def post(self, announcement: Announcement) -> Posted:
        channel, now = announcement.destination, self._clock.now()
        if self.away:
            # By turns not even a connection, and one that is cut before an answer.
            raise NotPosted("cannot_connect") if next(self._turn) % 2 else PostUnknown("cut")
        if now < self.refused_until.get(channel, NOW):
            self.too_early.append(announcement)
        if len(self.posted[channel]) % 10 == 0 and self._limited[channel] < self.limits:
            self._limited[channel] += 1
            self.refused_until[channel] = now + timedelta(seconds=RETRY_AFTER)
            raise NotPosted("ratelimited", retry_after=RETRY_AFTER)
        self.posted[channel].append(announcement)
        return Posted(channel, f"{now.timestamp():.6f}")

    async def find(self, announcement: Announcement) -> Posted | None:
        if self.away:
            raise PostUnknown("cut")
        return None


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    clock = VirtualClock()
    apart, least = announcing.ONE_A_SECOND, transactions.LEAST_APART
    undo = clock.install()
    announcing.ONE_A_SECOND, transactions.LEAST_APART = apart, least
    yield clock
    undo()


def enqueue(session: Session, organisations: list[int], count: int) -> None:
    for n, organisation in itertools.product(range(count), organisations):
        enqueuing.enqueue(
            session, AnnouncementKind.PAID, f"paid:{organisation}:{n}", organisation_id=organisation, now=NOW
        )


def attempts(session: Session) -> dict[int, list[Any]]:
    """When each message of an organisation was last attempted, in the order of its messages."""
    found: dict[int, list[Any]] = defaultdict(list)
    for message in session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.id)):
        assert message.state == "posted"
        found[message.organisation_id].append(message.last_attempted_at)
    return found


def announcing_to(organisation: int, db: Database, slack: Slack, clock: VirtualClock) -> Announcing:
    """What delivers one organisation's messages in the process that has its token."""
    lease = Lease(f"of {organisation}", timedelta(seconds=60), timedelta(seconds=60))
    return Announcing(db, {organisation: slack}, lease, clock=clock.now, pause=clock.pause)


async def test_after_an_hour_without_slack_and_429s_all_is_posted_once_in_order_and_one_a_second(
    db: Database, clock: VirtualClock
) -> None:
    channels = [f"C0NUMBER{n}" for n in range(3)]
    organisations = [make_organisation(db, f"T0NUMBER{n}", channel=c) for n, c in enumerate(channels)]
    db.run(enqueue, organisations, MESSAGES)
    clock.watch(db)
    slack = Slack(clock)
    processes = [announcing_to(organisation, db, slack, clock) for organisation in organisations]

    async def deliver_due() -> None:
        await asyncio.gather(*(one.deliver_due() for one in processes))

    for _ in range(60):
        clock.time += timedelta(minutes=1)
        await deliver_due()
    assert not any(slack.posted.values())

    slack.away, back = False, clock.now()
    async with asyncio.timeout(PATIENCE):
        while sum(map(len, slack.posted.values())) < MESSAGES * len(channels):
            await deliver_due()
            await clock.pause(TICK)

    assert not slack.too_early
    for messages in slack.posted.values():
        assert [each.id for each in messages] == sorted({each.id for each in messages})
    for times in db.run(attempts).values():
        assert times[0] - back < SOON + timedelta(seconds=RETRY_AFTER * slack.limits)
        apart = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert min(apart) >= timedelta(seconds=1)
