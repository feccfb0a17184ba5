"""Asking Stripe about one link now: what comes of it is recorded as ever, seldom, and with few requests."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.errors import InvoiceNotFound, NothingToRecheck, RecheckedLately, StripeUnasked
from domain.models import Link
from domain.money import Money
from domain.states import AnnouncementKind, Badge, LinkStatus, PauseReason
from domain.summaries import Actor
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain import world as worlds
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, BEN, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")


@pytest.fixture
async def invoice(world: World) -> int:
    """One with a link."""
    invoice_id = make_invoice(world.db, "INV-1")
    await world.desk.create_link(ADA, invoice_id, SEEN, patience=PATIENCE)
    return invoice_id


async def pay(stripe: LocalStripe, **how: Any) -> dict[str, Any]:
    session = await stripe.open_session(str(stripe.links()[0]["id"]))
    return await stripe.pay(session["id"], **how)


def forget_the_last(world: World) -> None:
    """Half a minute is over."""
    earlier = {"rechecked_at": sa.type_coerce(Link.rechecked_at, sa.BigInteger) - 30_000}
    world.db.run(lambda session: session.execute(sa.update(Link).values(**earlier)))


def asked(stripe: LocalStripe) -> list[str]:
    return [request.path for request in stripe.requests]


async def test_a_payment_that_nobody_told_of_is_recorded_and_told_once(
    world: World, stripe: LocalStripe, invoice: int
) -> None:
    await pay(stripe)
    recheck = await world.desk.recheck(ADA, invoice)
    assert recheck.before.invoice.status is LinkStatus.PENDING_PAYMENT
    assert recheck.after.invoice.status is LinkStatus.PAID
    await world.see()
    assert [message.kind for message in world.poster.posted] == [AnnouncementKind.PAID]


async def test_a_refund_and_a_dispute_are_recorded_with_three_requests(
    world: World, stripe: LocalStripe, invoice: int
) -> None:
    session = await pay(stripe)
    await world.see()
    await stripe.refund(session["id"], amount=50)
    await stripe.dispute(session["id"], amount=70)
    before = len(stripe.requests)
    recheck = await world.desk.recheck(ADA, invoice)
    assert asked(stripe)[before:] == ["/v1/checkout/sessions", "/v1/refunds", "/v1/disputes"]
    assert recheck.before.exceptions == ()
    assert len(recheck.after.exceptions) == 2
    found = recheck.after.invoice
    assert set(found.badges) == {Badge.PARTLY_REFUNDED, Badge.DISPUTED}


async def test_those_of_two_payments_cost_no_more(world: World, stripe: LocalStripe, invoice: int) -> None:
    opened = [await stripe.open_session(str(stripe.links()[0]["id"])) for _ in range(2)]
    paid = [await stripe.pay(session["id"]) for session in opened]
    before = len(stripe.requests)
    await stripe.refund(paid[0]["id"], amount=50)
    await stripe.refund(paid[1]["id"])
    recheck = await world.desk.recheck(ADA, invoice)
    assert len(asked(stripe)[before:]) == 3
    found = recheck.after.invoice
    # Which of the two is the first, the sessions say; each refund belongs to its own payment.
    assert set(found.badges) <= {Badge.PARTLY_REFUNDED, Badge.REFUNDED}
    assert found.badges


async def test_one_that_waits_costs_two_requests_and_stays_the_same(
    world: World, stripe: LocalStripe, invoice: int
) -> None:
    before = len(stripe.requests)
    recheck = await world.desk.recheck(ADA, invoice)
    link = str(stripe.links()[0]["id"])
    assert asked(stripe)[before:] == ["/v1/checkout/sessions", f"/v1/payment_links/{link}"]
    assert recheck.before.invoice == recheck.after.invoice


async def test_a_link_that_was_switched_off_shows_it(world: World, stripe: LocalStripe, invoice: int) -> None:
    await stripe.deactivate(str(stripe.links()[0]["id"]))
    recheck = await world.desk.recheck(ADA, invoice)
    assert recheck.after.invoice.badges == (Badge.LINK_DEACTIVATED,)


async def test_it_is_asked_once_in_half_a_minute_whoever_clicks_and_wherever(
    db: Database, world: World, stripe: LocalStripe, invoice: int
) -> None:
    before = len(stripe.requests)
    async with worlds.world(db, stripe, owner="two") as other:
        before = len(stripe.requests)
        clicks = [desk.recheck(who, invoice) for desk in (world.desk, other.desk) for who in (ADA, BEN)]
        came = await asyncio.gather(*clicks, return_exceptions=True)
    refused = [one for one in came if isinstance(one, RecheckedLately)]
    assert len(refused) == 3
    assert all(timedelta(seconds=20) < one.wait <= timedelta(seconds=30) for one in refused)
    assert len(asked(stripe)) == before + 2

    forget_the_last(world)
    await world.desk.recheck(BEN, invoice)
    assert len(asked(stripe)) == before + 4


async def test_an_invoice_without_a_link_has_nothing_to_ask_about(world: World, stripe: LocalStripe) -> None:
    before = len(stripe.requests)
    with pytest.raises(NothingToRecheck):
        await world.desk.recheck(ADA, make_invoice(world.db, "INV-2"))
    assert len(stripe.requests) == before


async def test_a_stripe_that_is_away_is_said_to_be(world: World, stripe: LocalStripe, invoice: int) -> None:
    stripe.faults.add(FaultKind.ERROR, path="/v1/checkout/sessions", times=None)
    with pytest.raises(StripeUnasked) as away:
        await world.desk.recheck(ADA, invoice)
    assert away.value.why is PauseReason.STRIPE_AWAY


async def test_an_account_that_is_not_known_yet_is_not_asked(
    db: Database, stripe: LocalStripe, world: World, invoice: int
) -> None:
    other = await World(db, stripe, owner="two").open()
    before = len(stripe.requests)
    with pytest.raises(StripeUnasked):
        await other.desk.recheck(ADA, invoice)
    assert len(stripe.requests) == before
    await other.api.close()


async def test_anothers_invoice_is_refused_before_anything_is_asked(
    world: World, stripe: LocalStripe, invoice: int
) -> None:
    await world.serve("T0OTHER")
    before = len(stripe.requests)
    with pytest.raises(InvoiceNotFound):
        await world.desk.recheck(Actor("T0OTHER", "U0EVE"), invoice)
    assert len(stripe.requests) == before
