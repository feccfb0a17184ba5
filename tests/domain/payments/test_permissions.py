"""What the key may not read costs that alone: it is asked for ever more seldom, however many events wait for it."""

import asyncio

import pytest
import sqlalchemy as sa

from domain.models import StripeEvent
from domain.money import Money
from domain.payments import standing
from domain.payments.permissions import FIRST_PAUSE, LONGEST_PAUSE, Permissions, Thing
from domain.states import Badge, LinkStatus, PauseReason
from sandbox.stripe.api.endpoints import PERMISSIONS
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World
from tests.domain.world import world as made_world
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")


async def pay(world: World, stripe: LocalStripe, number: str) -> str:
    """The payment intent of a new link's payment."""
    await world.desk.create_link(ADA, make_invoice(world.db, number), SEEN, patience=PATIENCE)
    session = await stripe.open_session(stripe.links()[-1]["id"])
    return str((await stripe.pay(session["id"]))["payment_intent"])


def forbid(stripe: LocalStripe, *names: str) -> None:
    stripe.key(stripe.api_key).permissions = frozenset(
        one for one in PERMISSIONS if one.removesuffix("_read").removesuffix("_write") not in _named(names)
    )


def _named(names: tuple[str, ...]) -> set[str]:
    return {f"rak_{name}" for name in names}


async def receive(world: World, stripe: LocalStripe) -> None:
    for event in stripe.objects("event"):
        await world.watch.receive(event)
    await world.watching.settle_due()


def held(world: World) -> int:
    waiting = sa.select(sa.func.count()).select_from(StripeEvent).where(StripeEvent.waits_for == "forbidden")
    return world.db.run(lambda session: session.scalar(waiting.where(StripeEvent.settled_at.is_(None))) or 0)


async def make_due(world: World) -> None:
    world.db.run(lambda session: session.execute(sa.text("UPDATE stripe_events SET next_attempt_at = 0")))
    await world.watching.settle_due()


async def status(world: World, number: str) -> LinkStatus:
    found = await world.desk.find_invoice(ADA, number)
    assert found is not None
    return found.status


async def test_sessions_that_may_not_be_read_hold_up_nothing_else(world: World, stripe: LocalStripe) -> None:
    intent = await pay(world, stripe, "INV-1")
    await receive(world, stripe)
    await stripe.refund(intent)
    await pay(world, stripe, "INV-2")
    forbid(stripe, "checkout_session")
    await receive(world, stripe)
    found = await world.desk.find_invoice(ADA, "INV-1")
    assert found is not None
    assert found.badges == (Badge.REFUNDED,)
    assert await status(world, "INV-2") is LinkStatus.PENDING_PAYMENT
    paused = (await world.desk.get_stripe_state(ADA)).paused
    assert paused is not None
    assert (paused.reason, paused.permission) == (PauseReason.PERMISSION_LACKING, "rak_checkout_session_read")
    # A link can be made, and its being made doesn't say that payments are seen.
    assert (await world.desk.create_link(ADA, make_invoice(world.db, "INV-3"), SEEN, patience=PATIENCE)).link
    assert (await world.desk.get_stripe_state(ADA)).paused == paused
    (told,) = world.db.run(lambda session: standing.list_standings(session, world.clock()))
    assert told.forbidden == (Thing.SESSIONS,)

    forbid(stripe)
    # The sweep reads them too, and what was held is due at once.
    assert await world.watch.sweep_if_due(at_start=True)
    await world.watching.settle_due()
    assert await status(world, "INV-2") is LinkStatus.PAID
    assert (await world.desk.get_stripe_state(ADA)).paused is None
    assert held(world) == 0


async def test_one_request_asks_for_all_that_waits(world: World, stripe: LocalStripe) -> None:
    for number in ("INV-1", "INV-2", "INV-3"):
        intent = await pay(world, stripe, number)
        await stripe.dispute(intent)
    forbid(stripe, "dispute")
    await receive(world, stripe)
    assert held(world) == 3
    assert await status(world, "INV-3") is LinkStatus.PAID
    assert (await world.desk.get_stripe_state(ADA)).paused is None
    before = len(stripe.requests)
    for _ in range(3):
        await make_due(world)
    assert len(stripe.requests) == before
    world.watch._troubles.permissions._refused[Thing.DISPUTES].until = 0
    await make_due(world)
    assert len(stripe.requests) == before + 1
    assert held(world) == 3

    forbid(stripe)
    world.watch._troubles.permissions._refused[Thing.DISPUTES].until = 0
    await make_due(world)
    await world.watching.settle_due()
    assert held(world) == 0
    found = await world.desk.find_invoice(ADA, "INV-2")
    assert found is not None
    assert found.badges == (Badge.DISPUTED,)


async def test_a_sweep_that_may_not_read_sessions_reads_the_rest_and_waits_for_its_hour(
    world: World, stripe: LocalStripe
) -> None:
    intent = await pay(world, stripe, "INV-1")
    await receive(world, stripe)
    await stripe.dispute(intent)
    forbid(stripe, "checkout_session")
    await world.watching.sweep_if_due()
    found = await world.desk.find_invoice(ADA, "INV-1")
    assert found is not None
    assert found.badges == (Badge.DISPUTED,)
    before = len(stripe.requests)
    world.db.run(
        lambda session: session.execute(sa.text("UPDATE duties SET started_at = started_at - 120000"))
    )
    await world.watching.sweep_if_due()
    assert len(stripe.requests) == before


async def test_events_that_may_not_be_read_are_told(world: World, stripe: LocalStripe) -> None:
    await pay(world, stripe, "INV-1")
    forbid(stripe, "event")
    await world.watching.poll_if_due()
    await world.watch.sweep_if_due(at_start=True)
    paused = (await world.desk.get_stripe_state(ADA)).paused
    assert paused is not None
    assert paused.permission == "rak_event_read"
    assert await status(world, "INV-1") is LinkStatus.PAID
    forbid(stripe)
    await world.watching.poll_if_due()
    assert (await world.desk.get_stripe_state(ADA)).paused is None


@pytest.mark.parametrize("mended", [True, False])
async def test_the_next_process_asks_at_once_for_what_was_held(
    world: World, stripe: LocalStripe, mended: bool
) -> None:
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-1"), SEEN, patience=PATIENCE)
    await receive(world, stripe)
    forbid(stripe, "payment_link")
    await stripe.deactivate(stripe.links()[0]["id"])
    await stripe.reactivate(stripe.links()[0]["id"])
    await receive(world, stripe)
    assert held(world) > 0
    if mended:
        forbid(stripe)
    async with made_world(world.db, stripe, owner="two") as after:
        await after.watching.poll_if_due()
        await after.watching.settle_due()
    assert (held(world) == 0) == mended


async def test_the_pause_doubles_once_for_those_that_were_under_way_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    permissions = Permissions()
    pauses = []
    for _ in range(13):
        assert permissions.may_ask(Thing.DISPUTES)
        for _ in range(3):
            permissions.refuse(Thing.DISPUTES, None)
            assert not permissions.may_ask(Thing.DISPUTES)
        pauses.append(permissions.seconds_left(Thing.DISPUTES))
        now += pauses[-1]
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    assert permissions.may_ask(Thing.REFUNDS)
