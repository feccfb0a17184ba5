"""Links that are switched off and on again in Stripe: shown so, told once for each time, and plain again."""

from typing import Any

import pytest
import sqlalchemy as sa

from domain.exceptions.billing_changes import open_settled_elsewhere
from domain.invoices import invoices
from domain.models import Link, PaymentException, StripeEvent
from domain.money import Money
from domain.payments.events import Receipt
from domain.reasons import BillingState
from domain.states import AnnouncementKind, Badge, ExceptionKind, Settlement
from domain.summaries import InvoiceSummary
from handlers.views.messages import announcement_message
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.payments.test_thin_events import thin_of
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")


async def linked(world: World) -> int:
    invoice_id = make_invoice(world.db)
    await world.desk.create_link(ADA, invoice_id, SEEN, patience=PATIENCE)
    return invoice_id


def shown(world: World, invoice_id: int) -> InvoiceSummary:
    return world.db.run(invoices.get, world.scope, invoice_id)


def exceptions(world: World) -> list[tuple[Any, Any]]:
    kept = sa.select(PaymentException.kind, PaymentException.resolution).order_by(PaymentException.id)
    return [(row[0], row[1]) for row in world.db.run(lambda session: session.execute(kept).all())]


def asked(stripe: LocalStripe) -> int:
    return sum(one.path.startswith("/v1/payment_links/") for one in stripe.requests)


async def see(world: World) -> None:
    """See it, and what is asked again within the next minute."""
    for _ in range(5):
        await world.see()
        world.db.run(lambda session: session.execute(sa.text("UPDATE stripe_events SET next_attempt_at = 0")))
        world.db.run(lambda session: session.execute(sa.text("UPDATE paces SET next_at = 0")))


async def test_a_link_that_is_switched_off_is_shown_and_told_until_it_is_on_again(
    world: World, stripe: LocalStripe
) -> None:
    invoice_id = await linked(world)
    link = stripe.links()[0]["id"]
    for time in (1, 2):
        await stripe.deactivate(link)
        await see(world)
        assert shown(world, invoice_id).badges == (Badge.LINK_DEACTIVATED,)
        assert exceptions(world)[-1] == (ExceptionKind.LINK_DEACTIVATED, None)
        await stripe.reactivate(link)
        await see(world)
        assert shown(world, invoice_id).badges == ()
        assert exceptions(world) == [(ExceptionKind.LINK_DEACTIVATED, Settlement.LINK_ACTIVE)] * time
    told = [one.exception.kind if one.exception else None for one in world.poster.posted]
    assert told == [ExceptionKind.LINK_DEACTIVATED] * 4  # twice off, and each time that it was on again


@pytest.mark.parametrize("thin", [False, True])
async def test_the_webhook_tells_of_it_too(world: World, stripe: LocalStripe, thin: bool) -> None:
    invoice_id = await linked(world)
    await stripe.deactivate(stripe.links()[0]["id"])
    event = next(one for one in stripe.objects("event") if one["type"] == "payment_link.updated")
    assert await world.watch.receive(thin_of(event) if thin else event) is Receipt.KEPT
    await world.watching.settle_due()
    assert shown(world, invoice_id).badges == (Badge.LINK_DEACTIVATED,)


async def test_that_it_was_read_too_soon_hides_nothing(world: World, stripe: LocalStripe) -> None:
    invoice_id = await linked(world)
    stripe.late.stale("payment_link", times=1)
    await stripe.deactivate(stripe.links()[0]["id"])
    await see(world)
    assert shown(world, invoice_id).badges == (Badge.LINK_DEACTIVATED,)


async def test_a_link_that_stripe_closes_when_it_is_paid_is_not_deactivated(
    world: World, stripe: LocalStripe
) -> None:
    invoice_id = await linked(world)
    session = await stripe.open_session(stripe.links()[0]["id"])
    await stripe.pay(session["id"])
    # In either order: the link's event alone comes first.
    event = next(one for one in stripe.objects("event") if one["type"] == "payment_link.updated")
    await world.watch.receive(event)
    await world.watching.settle_due()
    assert (shown(world, invoice_id).badges, exceptions(world)) == ((), [])
    await see(world)
    assert (shown(world, invoice_id).badges, exceptions(world)) == ((), [])


async def test_one_that_is_paid_from_a_page_that_was_open_is_paid_and_no_more(
    world: World, stripe: LocalStripe
) -> None:
    invoice_id = await linked(world)
    session = await stripe.open_session(stripe.links()[0]["id"])
    await stripe.deactivate(stripe.links()[0]["id"])
    await see(world)
    await stripe.pay(session["id"])
    await see(world)
    assert shown(world, invoice_id).badges == ()
    assert exceptions(world) == [(ExceptionKind.LINK_DEACTIVATED, Settlement.PAID)]


async def test_whoever_was_advised_to_deactivate_it_is_not_told_to_reactivate_it(
    world: World, stripe: LocalStripe
) -> None:
    invoice_id = await linked(world)
    void = sa.text("UPDATE invoices SET billing_state = :state").bindparams(state=BillingState.VOID.value)
    world.db.run(lambda session: session.execute(void))
    await stripe.deactivate(stripe.links()[0]["id"])
    await see(world)
    assert shown(world, invoice_id).badges == (Badge.LINK_DEACTIVATED, Badge.VOID)
    assert exceptions(world) == []


async def test_one_that_is_paid_although_its_invoice_is_void_ends_so_and_says_to_take_care(
    world: World, stripe: LocalStripe
) -> None:
    invoice_id = await linked(world)
    void = sa.text("UPDATE invoices SET billing_state = 'void'")
    world.db.run(lambda session: session.execute(void))
    link = sa.select(Link)
    world.db.run(
        lambda session: open_settled_elsewhere(session, session.scalars(link).one(), "void", world.clock())
    )
    session = await stripe.open_session(stripe.links()[0]["id"])
    await stripe.pay(session["id"])
    await see(world)
    assert exceptions(world) == [(ExceptionKind.SETTLED_ELSEWHERE, Settlement.LINK_PAID)]
    assert shown(world, invoice_id).badges == (Badge.VOID,)
    (paid,) = [one for one in world.poster.posted if one.kind is AnnouncementKind.PAID]
    assert "Take care: the invoice is void." in announcement_message(paid)["text"]


async def test_paylinks_own_links_cost_no_request_when_stripe_tells_that_they_were_created(
    world: World, stripe: LocalStripe
) -> None:
    await linked(world)
    await see(world)
    event = next(one for one in stripe.objects("event") if one["type"] == "payment_link.created")
    assert await world.watch.receive(event) is Receipt.NOT_OURS
    await world.watch.receive(thin_of(event))
    await see(world)
    assert asked(stripe) == 0
    unsettled = sa.select(sa.func.count()).select_from(StripeEvent).where(StripeEvent.settled_at.is_(None))
    assert world.db.run(lambda session: session.scalar(unsettled)) == 0
