"""A link that Stripe closed since it sold once, though its invoice isn't paid by that: it invites nobody to pay."""

import pytest

from domain.states import Badge, ExceptionKind, LinkStatus, Settlement
from handlers.words.exceptions import what_differs, what_to_do
from sandbox.stripe.server import LocalStripe
from tests.domain.payments.test_deactivated_links import exceptions, linked, see, shown
from tests.domain.world import World


@pytest.mark.parametrize("first", ["payment_link.updated", "checkout.session.completed"])
async def test_a_link_that_sold_once_for_another_amount_is_no_invitation_and_a_task_once_that_is_refunded(
    world: World, stripe: LocalStripe, first: str
) -> None:
    invoice_id = await linked(world)
    link = stripe.links()[0]["id"]
    session = await stripe.pay(link, amount=700)
    event = next(one for one in stripe.objects("event") if one["type"] == first)
    await world.watch.receive(event)
    await world.watching.settle_due()
    await see(world)
    after = shown(world, invoice_id)
    assert (after.status, after.badges) == (LinkStatus.PENDING_PAYMENT, (Badge.LINK_DEACTIVATED,))
    assert exceptions(world) == [(ExceptionKind.AMOUNT_DIFFERS, None)]
    await stripe.refund(session["payment_intent"])
    await see(world)
    await see(world)
    assert exceptions(world)[1:] == [(ExceptionKind.LINK_DEACTIVATED, None)]
    told = world.poster.posted[-1].exception
    assert told is not None
    assert "no more payments" in what_differs(told)
    assert "once more" in what_to_do(told)
    # The Dashboard lets it be paid once more.
    await stripe.reactivate(link)
    _, raised = stripe.link(link)
    limits = stripe.act_for(link).get("payment_link", raised, param="payment_link")["restrictions"]
    limits["completed_sessions"]["limit"] = 2
    await see(world)
    assert shown(world, invoice_id).badges == ()
    assert exceptions(world)[1:] == [(ExceptionKind.LINK_DEACTIVATED, Settlement.LINK_ACTIVE)]


async def test_one_whose_money_is_still_to_come_is_plain_when_it_has_come(
    world: World, stripe: LocalStripe
) -> None:
    invoice_id = await linked(world)
    session = await stripe.pay(stripe.links()[0]["id"], unpaid=True)
    await see(world)
    assert shown(world, invoice_id).badges == (Badge.LINK_DEACTIVATED,)
    await stripe.settle(session["id"])
    await see(world)
    after = shown(world, invoice_id)
    assert (after.status, after.badges) == (LinkStatus.PAID, ())
    assert exceptions(world) == [(ExceptionKind.COMPLETED_UNPAID, Settlement.PAID)]
