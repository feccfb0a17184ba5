"""A burst of payments is one message, and each of them is still told exactly once."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import database_now
from domain.messages import together, transactions
from domain.messages.claims import Claim
from domain.messages.poster_port import NotPosted, PostUnknown
from domain.models import OutboxMessage, PaymentException
from domain.outbox import enqueuing
from domain.states import LinkStatus, MessageState
from tests.domain.factories import make_invoice, make_link, make_organisation, make_payment
from tests.domain.world import World

pytestmark = pytest.mark.usefixtures("organisation")


@pytest.fixture
def organisation(world: World) -> int:
    return make_organisation(world.db)


def pay(world: World, count: int) -> None:
    """So many payments that nobody has been told of."""
    for n in range(count):
        pay_one(world, f"INV-{n:02}")


def pay_one(world: World, number: str) -> None:
    link_id = make_link(world.db, make_invoice(world.db, number), status=LinkStatus.PAID)
    make_payment(world.db, link_id)


def rows(world: World) -> list[tuple[MessageState, str | None]]:
    return world.db.run(
        lambda session: [
            (row.state, row.posted_ts)
            for row in session.execute(
                sa.select(OutboxMessage.state, OutboxMessage.posted_ts).order_by(OutboxMessage.id)
            )
        ]
    )


def told(world: World) -> list[list[str]]:
    """The numbers that each message which was posted names."""
    return [
        [one.invoice.number for one in (message, *message.together) if one.invoice is not None]
        for message in world.poster.posted
    ]


def make_due(world: World) -> None:
    world.db.run(
        lambda session: session.execute(
            sa.update(OutboxMessage)
            .where(OutboxMessage.state == MessageState.WAITING)
            .values(next_attempt_at=database_now(session) - timedelta(seconds=1))
        )
    )


async def test_up_to_five_that_wait_besides_are_told_one_by_one(world: World) -> None:
    pay(world, together.MORE_THAN)
    await world.announcing.deliver_due()
    assert told(world) == [[f"INV-{n:02}"] for n in range(together.MORE_THAN)]


async def test_more_are_one_message_up_to_twenty_five(world: World) -> None:
    pay(world, 31)
    await world.announcing.deliver_due()
    numbers = [f"INV-{n:02}" for n in range(31)]
    assert told(world) == [numbers[:25], numbers[25:]]
    assert rows(world) == [(MessageState.POSTED, "1.0")] * 25 + [(MessageState.POSTED, "2.0")] * 6


async def test_a_refused_one_sets_each_free_and_names_none_twice(world: World) -> None:
    pay(world, 7)
    world.poster.troubles.append(NotPosted("msg_too_long", final=True))
    await world.announcing.deliver_due()
    assert told(world) == []
    assert [state for state, _ in rows(world)] == [MessageState.WAITING] * 7
    make_due(world)
    await world.announcing.deliver_due()
    assert told(world) == [["INV-00"], [f"INV-{n:02}" for n in range(1, 7)]]


@pytest.mark.parametrize("posted", [True, False])
async def test_after_a_doubt_the_same_message_is_looked_for(world: World, posted: bool) -> None:
    pay(world, 6)
    world.poster.posts_in_doubt = posted
    world.poster.troubles.append(PostUnknown("TimeoutError"))
    await world.announcing.deliver_due()
    pay_one(world, "INV-later")
    make_due(world)
    await world.announcing.deliver_due()
    assert told(world) == [[f"INV-{n:02}" for n in range(6)], ["INV-later"]]
    assert {state for state, _ in rows(world)} == {MessageState.POSTED}


async def test_where_the_history_cannot_be_read_all_of_them_are_left_to_people(
    world: World, organisation: int
) -> None:
    pay(world, 6)
    world.poster.troubles.append(PostUnknown("TimeoutError"))
    await world.announcing.deliver_due()
    world.poster.unreadable = "missing_scope"
    make_due(world)
    await world.announcing.deliver_due()
    assert {state for state, _ in rows(world)} == {MessageState.UNKNOWN}
    assert world.db.run(enqueuing.resend, 2)
    world.poster.posted.clear()
    await world.announcing.deliver_due()
    assert told(world) == [["INV-01"]]


def claimed(world: World, organisation: int, owner: str) -> list[Claim]:
    lease = Lease(owner, timedelta(seconds=60), timedelta(seconds=1))
    return world.db.run(transactions.claim_due, organisation, lease)


def test_nobody_claims_what_another_tells(world: World, organisation: int) -> None:
    pay(world, 8)
    [claim] = claimed(world, organisation, "one")
    assert len(claim.announcement.together) == 7
    assert claimed(world, organisation, "other") == []


@pytest.mark.parametrize("found", [True, False])
def test_a_version_before_that_takes_it_over_loses_none(world: World, organisation: int, found: bool) -> None:
    """It finds the message that names all, or posts the first one alone, in an attempt of its own."""
    pay(world, 7)
    [claim] = claimed(world, organisation, "died")
    assert world.db.run(transactions.begin_posting, claim)

    def version_before(session: Session) -> None:
        again = {} if found else {"attempts": OutboxMessage.attempts + 1}
        session.execute(
            sa.update(OutboxMessage)
            .where(OutboxMessage.id == claim.id)
            .values(state=MessageState.POSTED, posted_channel="C0PAYMENTS", posted_ts="9.0", **again)
        )

    world.db.run(version_before)
    later = claimed(world, organisation, "new")
    left = [(MessageState.POSTED, "9.0")] * 6 if found else [(MessageState.SENDING, None)] * 6
    assert rows(world)[1:] == left
    assert len(later) == (0 if found else 1)


async def test_those_that_were_stuck_and_are_told_together_leave_no_exception_open(world: World) -> None:
    pay(world, 6)
    world.poster.troubles.append(PostUnknown("TimeoutError"))
    await world.announcing.deliver_due()
    world.poster.unreadable = "missing_scope"
    make_due(world)
    await world.announcing.deliver_due()
    assert open_exceptions(world) == 6
    assert all(world.db.run(enqueuing.resend, message_id) for message_id in range(1, 7))
    world.poster.posted.clear()
    await world.announcing.deliver_due()
    assert told(world) == [[f"INV-{n:02}" for n in range(6)]]
    assert open_exceptions(world) == 0


def open_exceptions(world: World) -> int:
    undealt = sa.select(sa.func.count()).where(PaymentException.resolved_at.is_(None))
    return world.db.run(lambda session: session.scalar(undealt)) or 0
