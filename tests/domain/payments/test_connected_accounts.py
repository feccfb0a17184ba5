"""A platform's webhook may tell of its connected accounts as well, whose objects its own key doesn't see."""

import pytest

from domain.payments.events import Receipt
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.payments.gaps import create
from tests.domain.payments.test_thin_events import thin_of
from tests.domain.payments.test_unknown import link_of, pay
from tests.domain.world import World


@pytest.mark.parametrize("thin", [False, True])
async def test_an_event_of_a_connected_account_is_nobodys_and_one_of_the_own_account_isnt(
    world: World, stripe: LocalStripe, thin: bool
) -> None:
    invoice_id = make_invoice(world.db)
    await create(world, invoice_id)
    session = await pay(stripe, str(link_of(world, invoice_id).stripe_id))
    await stripe.dispute(session["payment_intent"])
    before = len(stripe.requests)
    for told in ("checkout.session.completed", "charge.dispute.created"):
        event = next(one for one in stripe.objects("event") if one["type"] == told)
        shown, where = (thin_of(event), "context") if thin else (event, "account")
        assert await world.watch.receive(shown | {where: "acct_1Connected"}) is Receipt.NOT_OURS
        assert await world.watch.receive(shown | {where: stripe.account}) is Receipt.KEPT
    assert len(stripe.requests) == before
