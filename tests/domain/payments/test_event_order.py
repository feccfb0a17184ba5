"""Payment, refund and dispute, told of in whatever order: each is recorded and told once, within seconds."""

import itertools
from typing import Any

import pytest
import sqlalchemy as sa

from domain.models import StripeEvent
from domain.money import Money
from domain.stripe.client import StripeApi
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")
TYPES = ("checkout.session.completed", "charge.refunded", "charge.dispute.created")
ALL = ["None", "disputed", "refunded"]


async def reverse(stripe: LocalStripe) -> dict[str, Any]:
    """Pay the one link, refund some of it, dispute it; the events by their type."""
    session = await stripe.open_session(stripe.links()[0]["id"])
    paid = await stripe.pay(session["id"])
    await stripe.refund(paid["payment_intent"], amount=100)
    await stripe.dispute(paid["payment_intent"])
    return {event["type"]: event for event in stripe.objects("event") if event["type"] in TYPES}


async def settle(world: World) -> None:
    """Settle what is due now or within the next minute."""
    world.db.run(lambda session: session.execute(sa.text("UPDATE stripe_events SET next_attempt_at = 0")))
    await world.watching.settle_due()


def told(world: World) -> list[str]:
    return sorted(str(message.exception and message.exception.kind) for message in world.poster.posted)


def unsettled(world: World) -> int:
    waiting = sa.select(sa.func.count()).select_from(StripeEvent).where(StripeEvent.settled_at.is_(None))
    return world.db.run(lambda session: session.scalars(waiting).one())


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_in_any_order_one_after_the_other(
    world: World, stripe: LocalStripe, order: tuple[int, ...]
) -> None:
    await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    events = await reverse(stripe)
    for number in order:
        await world.watch.receive(events[TYPES[number]])
        await world.watching.settle_due()
    world.db.run(lambda session: session.execute(sa.text("UPDATE paces SET next_at = 0")))
    await world.announcing.deliver_due()
    assert told(world) == ALL
    assert unsettled(world) == 0


async def test_before_the_link_itself_is_known(world: World, stripe: LocalStripe) -> None:
    """Stripe's answer got lost; the buyer, and whoever refunds, were faster than the next attempt."""
    stripe.faults.add(FaultKind.LOST, method="POST", path="/v1/payment_links")
    await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    for event in reversed((await reverse(stripe)).values()):
        await world.watch.receive(event)
    await world.watching.settle_due()
    assert unsettled(world) == 3
    # However long that takes.
    stripe.advance(3600)
    await settle(world)
    assert unsettled(world) == 3

    world.db.run(lambda session: session.execute(sa.text("UPDATE links SET next_attempt_at = 0")))
    await world.creation.run_due()
    await settle(world)
    await settle(world)
    await world.announcing.deliver_due()
    assert told(world) == ALL
    assert unsettled(world) == 0


class Lagging:
    """Stripe whose list of sessions is empty until ``caught_up``, however often it is asked."""

    def __init__(self, api: StripeApi, monkeypatch: pytest.MonkeyPatch) -> None:
        self.caught_up = False
        self._list_page = api.list_page
        monkeypatch.setattr(api, "list_page", self.list_page)

    async def list_page(self, path: str, params: Any = None) -> dict[str, Any]:
        if path == "/v1/checkout/sessions" and not self.caught_up:
            return {"data": []}
        return await self._list_page(path, params or {})


async def test_a_reversal_waits_while_stripe_lists_no_session_of_its_payment(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    lagging = Lagging(world.api, monkeypatch)
    events = await reverse(stripe)
    await world.watch.receive(events["charge.refunded"])
    await world.watch.receive(events["charge.dispute.created"])
    await world.watching.settle_due()
    assert unsettled(world) == 2
    lagging.caught_up = True
    await settle(world)
    await world.announcing.deliver_due()
    assert told(world) == ALL


async def test_a_reversal_of_somebody_elses_payment_is_asked_about_for_minutes_only(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    Lagging(world.api, monkeypatch)
    await world.watch.receive((await reverse(stripe))["charge.dispute.created"])
    await world.watching.settle_due()
    assert unsettled(world) == 1
    stripe.advance(11 * 60)
    await world.api.get_account()
    await settle(world)
    assert unsettled(world) == 0


@pytest.mark.parametrize("seconds", [0, 5])
async def test_of_two_payments_seen_at_once_the_first_counts_however_slow_it_is_read(
    world: World, stripe: LocalStripe, seconds: int
) -> None:
    await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    opened = [await stripe.open_session(stripe.links()[0]["id"]) for _ in range(4)]
    paid = []
    for session in opened:
        paid.append((await stripe.pay(session["id"]))["payment_intent"])
        stripe.advance(seconds)
    stripe.faults.add(FaultKind.SLOW, path=f"/v1/checkout/sessions/{opened[0]['id']}", seconds=0.3)
    await world.see()
    link = (await world.desk.get_invoice(ADA, 1)).link
    assert link is not None
    assert link.stripe_payment == paid[0]
