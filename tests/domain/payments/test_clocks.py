"""A clock that is an hour off, on either side, delays nothing: what is compared with Stripe's time is Stripe's."""

import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.models import Ledger
from domain.money import Money
from domain.states import LinkStatus
from domain.stripe.clock import StripeClock
from sandbox.stripe.api.rate import RateLimits
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import NOW, make_invoice
from tests.domain.world import ADA, World
from tests.domain.world import world as made_world
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")
HOUR = 3600
pytestmark = pytest.mark.parametrize("off", [-HOUR, HOUR])


@pytest.fixture
async def stripe(off: int) -> AsyncIterator[LocalStripe]:
    limits = RateLimits(live=None, test=None, endpoint=None)
    async with LocalStripe(limits=limits, clock=lambda: time.time() + off) as server:
        yield server


@pytest.fixture
async def world(db: Database, stripe: LocalStripe) -> AsyncIterator[World]:
    async with made_world(db, stripe) as one:
        yield one


async def pay(world: World, stripe: LocalStripe) -> None:
    """Make a link and let it be paid half an hour later, by all clocks."""
    await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    stripe.advance(1800)
    world.ahead += timedelta(minutes=30)
    session = await stripe.open_session(stripe.links()[-1]["id"])
    await stripe.pay(session["id"])


async def status(world: World) -> LinkStatus:
    return (await world.desk.get_invoice(ADA, 1)).status


async def test_the_first_poll_sees_the_payment(world: World, stripe: LocalStripe, off: int) -> None:
    await pay(world, stripe)
    await world.see()
    assert await status(world) is LinkStatus.PAID
    assert len(world.poster.posted) == 1


async def test_so_does_the_next_one_and_it_is_read_from_where_the_last_one_ended(
    world: World, stripe: LocalStripe, off: int
) -> None:
    await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    await world.watching.poll_if_due()
    until = world.db.run(lambda session: session.scalar(sa.select(Ledger.polled_until)))
    checked = world.db.run(lambda session: session.scalar(sa.select(Ledger.last_checked_at)))
    assert until is not None
    assert abs(until.timestamp() - stripe.now()) < 10
    # What people read is our own clock's.
    assert checked is not None
    assert abs((checked - world.clock()).total_seconds()) < 10


async def test_so_does_the_sweep(world: World, stripe: LocalStripe, off: int) -> None:
    await world.watch.sweep_if_due(at_start=True)
    await pay(world, stripe)
    assert await world.watch.sweep_if_due(at_start=True)
    swept = world.db.run(lambda session: session.scalar(sa.select(Ledger.swept_until)))
    assert swept is not None
    assert abs(swept.timestamp() - stripe.now()) < 10
    assert await status(world) is LinkStatus.PAID


async def test_an_event_of_thirty_days_is_as_old_as_stripe_says(
    world: World, stripe: LocalStripe, off: int
) -> None:
    assert abs((world.api.clock.now().timestamp()) - stripe.now()) < 2


async def test_a_link_whose_answer_got_lost_is_found_in_the_events(
    world: World, stripe: LocalStripe, off: int
) -> None:
    stripe.faults.add(FaultKind.LOST, method="POST", path="/v1/payment_links")
    await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    world.db.run(
        lambda session: session.execute(sa.text("UPDATE links SET next_attempt_at = 0, look_first = true"))
    )
    before = len(stripe.requests)
    await world.creation.run_due()
    assert await status(world) is LinkStatus.PENDING_PAYMENT
    assert [one.path for one in stripe.requests[before:]] == ["/v1/events"]


def test_what_is_no_date_changes_nothing(off: int) -> None:
    clock = StripeClock(lambda: NOW)
    clock.hear({"date": "Mon, 02 Nov 2026 11:30:00 GMT"})
    assert clock.now() == NOW + timedelta(hours=2)
    for headers in ({}, {"Date": "soon"}, {"Date": ""}, {"Date": "Mon, 99 Nov 2026 11:30:00 GMT"}):
        clock.hear(headers)
    assert clock.now() == NOW + timedelta(hours=2)
    clock.hear({"Date": "Mon, 02 Nov 2026 09:30:01 GMT"})
    assert clock.ahead == timedelta(0)
