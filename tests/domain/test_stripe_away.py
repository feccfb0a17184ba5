"""What is received while Stripe is away waits together, and the sentence about it outlives nobody."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from domain.models import StripeEvent
from domain.money import Money
from domain.payments import account_watch
from domain.payments.many import receiving
from domain.stripe import pausing
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")
EVENTS = 40


async def receive_many(world: World, stripe: LocalStripe) -> None:
    """Deliver one payment's event as many that differ, as Stripe may."""
    made = await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    async with asyncio.timeout(PATIENCE):
        # Of a link that isn't recorded yet, events wait without asking Stripe.
        while made.being_created:
            await world.creation.run_due()
            made = await world.desk.get_invoice(ADA, made.id)
    session = await stripe.open_session(stripe.links()[0]["id"])
    await stripe.pay(session["id"])
    event: dict[str, Any] = next(
        event for event in stripe.objects("event") if event["type"] == "checkout.session.completed"
    )
    for n in range(EVENTS):
        await world.watch.receive(event | {"id": f"evt_copy{n}"})


def unsettled(world: World) -> int:
    waiting = sa.select(sa.func.count()).select_from(StripeEvent).where(StripeEvent.settled_at.is_(None))
    return world.db.run(lambda session: session.scalars(waiting).one())


async def test_events_wait_together_and_settle_soon_after_stripe_is_back(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    await receive_many(world, stripe)
    monkeypatch.setattr(account_watch, "LONGEST_PAUSE", 2.0)
    outage = stripe.faults.outage()
    for _ in range(20):
        await world.watching.settle_due()
    # Eight at once, and from then on one now and then.
    attempts = sa.select(sa.func.sum(StripeEvent.attempts))
    assert world.db.run(lambda session: session.scalars(attempts).one()) <= receiving.CLAIMED + 4
    assert (await world.desk.get_stripe_state(ADA)).paused == pausing.AWAY

    stripe.faults.remove(outage)
    await world_settles(world)
    assert unsettled(world) == 0
    assert (await world.desk.get_stripe_state(ADA)).paused is None


async def test_after_hours_of_failures_events_still_only_wait(world: World, stripe: LocalStripe) -> None:
    await receive_many(world, stripe)
    outage = stripe.faults.outage()
    world.watch._in_trouble = 5_000
    await world.watching.settle_due()

    stripe.faults.remove(outage)
    world.watch._settle_again_at = 0.0
    await world_settles(world)


async def world_settles(world: World) -> None:
    """As the clock asks: until nothing is left, well within a pause and a postponement."""
    async with asyncio.timeout(PATIENCE):
        while unsettled(world):
            await world.watching.settle_due()
            await asyncio.sleep(0.05)


async def test_a_sentence_whose_process_died_goes_with_the_next_answer_that_anybody_gets(
    world: World, stripe: LocalStripe
) -> None:
    world.db.run(pausing.pause, world.account.ledger_id, pausing.AWAY)
    await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    assert (await world.desk.get_stripe_state(ADA)).paused is None


async def test_a_sentence_whose_process_died_goes_with_the_next_poll(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What was read before the first link has looked for such a mark just now.
    monkeypatch.setattr(pausing, "CLEARED_EVERY", 0.0)
    await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    world.db.run(pausing.pause, world.account.ledger_id, pausing.AWAY)
    world.db.run(lambda session: session.execute(sa.text("DELETE FROM duties")))
    await world.watching.poll_if_due()
    assert (await world.desk.get_stripe_state(ADA)).paused is None


LINKS = frozenset({"rak_payment_link_write", "rak_payment_link_read"})
WATCH = frozenset({"rak_event_read", "rak_checkout_session_read", "rak_charge_read", "rak_dispute_read"})


async def test_a_permission_that_links_lack_is_told_while_payments_are_watched(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-1"), SEEN, patience=PATIENCE)
    monkeypatch.setattr(pausing, "CLEARED_EVERY", 0.0)
    stripe.key(stripe.api_key).permissions = WATCH
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-2"), SEEN, patience=PATIENCE)
    await world.watching.poll_if_due()
    because = (await world.desk.get_stripe_state(ADA)).paused
    assert because is not None
    assert because != pausing.AWAY


async def test_a_permission_that_the_poll_lacks_is_told_while_links_are_created(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pausing, "CLEARED_EVERY", 0.0)
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-1"), SEEN, patience=PATIENCE)
    stripe.key(stripe.api_key).permissions = LINKS
    await world.watching.poll_if_due()
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-2"), SEEN, patience=PATIENCE)
    because = (await world.desk.get_stripe_state(ADA)).paused
    assert because is not None
    assert because != pausing.AWAY
