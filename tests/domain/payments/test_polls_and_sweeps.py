"""Polls and sweeps: what each asks Stripe, when it is due again, and what is found where something may not be read."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.models import Ledger, Link
from domain.states import AnnouncementKind, LinkStatus
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.payments.paying import SEEN, link, pay, shown, told
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

__all__ = ["link"]


async def test_the_sweep_finds_what_events_no_longer_tell(
    world: World, stripe: LocalStripe, link: str
) -> None:
    await pay(stripe, link)
    stripe.advance(40 * 86400)
    world.ahead = timedelta(days=40)
    await world.watching.poll_if_due()
    assert (await shown(world)).status is LinkStatus.PENDING_PAYMENT
    await world.watch.sweep_if_due()
    await world.see()
    assert (await shown(world)).status is LinkStatus.PAID
    assert told(world) == [(AnnouncementKind.PAID, None)]


async def test_a_stripe_outage_loses_nothing(world: World, stripe: LocalStripe, link: str) -> None:
    outage = stripe.faults.outage()
    await pay(stripe, link)
    await world.watching.poll_if_due()
    assert (await world.desk.get_stripe_state(ADA)).paused
    stripe.faults.remove(outage)
    await world.db.write(lambda session: session.execute(sa.text("DELETE FROM duties")))
    await world.see()
    assert told(world) == [(AnnouncementKind.PAID, None)]
    assert (await world.desk.get_stripe_state(ADA)).paused is None


async def test_a_key_that_may_not_read_disputes_costs_their_badges_alone(
    world: World, stripe: LocalStripe, link: str
) -> None:
    session = await pay(stripe, link)
    await stripe.refund(session["payment_intent"], amount=100)
    await stripe.dispute(session["payment_intent"])
    allowed = {"event_read", "checkout_session_read", "charge_read", "refund_read", "payment_link_write"}
    stripe.key(stripe.api_key).permissions = frozenset(f"rak_{one}" for one in allowed)
    await world.see()
    await world.see()
    assert (await world.desk.get_stripe_state(ADA)).paused is None
    assert sorted(str(kind) for _, kind in told(world)) == ["None", "refunded"]


async def test_the_sweep_sees_disputes_where_refunds_cannot_be_read(
    world: World, stripe: LocalStripe, link: str
) -> None:
    session = await pay(stripe, link)
    await stripe.refund(session["payment_intent"], amount=100)
    await stripe.dispute(session["payment_intent"])
    allowed = {"checkout_session_read", "dispute_read"}
    stripe.key(stripe.api_key).permissions = frozenset(f"rak_{one}" for one in allowed)
    assert await world.watch.sweep_if_due(at_start=True)
    await world.announcing.deliver_due()
    assert sorted(str(kind) for _, kind in told(world)) == ["None", "disputed"]


async def test_a_sweep_that_failed_at_the_start_is_soon_due_again(
    world: World, stripe: LocalStripe, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.payments.account_watch.AFTER_TROUBLE", timedelta(0))
    await pay(stripe, link)
    outage = stripe.faults.outage()
    assert not await world.watch.sweep_if_due(at_start=True)
    stripe.faults.remove(outage)
    assert await world.watch.sweep_if_due(at_start=True)
    assert (await shown(world)).status is LinkStatus.PAID


async def test_a_poll_is_one_request_however_many_links_wait(world: World, stripe: LocalStripe) -> None:
    for _ in range(12):
        await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    before = len(stripe.requests)
    await world.watching.poll_if_due()
    assert [record.path for record in stripe.requests[before:]] == ["/v1/events"]


@pytest.mark.parametrize(("days", "polled"), [(2.9, True), (3.1, False)])
async def test_for_three_days_after_a_payment_the_poll_keeps_its_interval(
    world: World, stripe: LocalStripe, link: str, days: float, polled: bool
) -> None:
    await pay(stripe, link)
    await world.see()
    paid_at = world.clock() - timedelta(days=days)
    world.db.run(lambda session: session.execute(sa.update(Link).values(changed_at=paid_at)))
    before = len(stripe.requests)
    await world.watching.poll_if_due()
    assert (len(stripe.requests) > before) is polled


async def test_the_watermark_follows_stripes_clock(world: World, stripe: LocalStripe, link: str) -> None:
    world.ahead = timedelta(minutes=30)
    await pay(stripe, link)
    await world.see()
    watermark = await world.db.read(lambda session: session.scalar(sa.select(Ledger.events_watermark)))
    assert watermark is not None
    assert abs(watermark.timestamp() - stripe.now()) < 60


async def test_a_poll_that_finds_nothing_new_writes_four_times(
    world: World, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a wait for the disk: a thousand organisations are polled one after the other, all the time."""
    await world.watching.poll_if_due()
    written: list[str] = []
    write = world.db.background_write

    async def writing(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        written.append(fn.__name__)
        return await write(fn, *args, **kwargs)

    monkeypatch.setattr(world.db, "background_write", writing)
    await world.watching.poll_if_due()
    # What happened last is listed each time.
    assert written == ["_take_duty", "keep", "move_watermark", "end_duty"]
