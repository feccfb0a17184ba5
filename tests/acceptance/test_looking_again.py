"""Details that stand open follow their invoice, through the whole bot: nobody clicks."""

from tests.acceptance.conftest import Worlds
from tests.acceptance.test_serve import create_link, refused_calls


async def test_open_details_turn_paid_and_follow_what_becomes_of_the_payment(worlds: Worlds) -> None:
    world = await worlds.make(PAYLINK_POLL_SECONDS="1")
    worlds.add_webhook(world)
    world.add_invoice("INV-1001")
    url = await create_link(world, "INV-1001")
    [view] = world.workspace.views(world.alice)

    first, second = await world.stripe.open_session(url), await world.stripe.open_session(url)
    intent = str((await world.stripe.pay(first["id"]))["payment_intent"])
    await world.until(lambda: "Amount received" in world.top())
    surplus = str((await world.stripe.pay(second["id"]))["payment_intent"])
    await world.until(lambda: "A second payment of USD 1,200.50 came in" in world.top())
    await world.stripe.refund(surplus)
    await world.until(lambda: "the payment was refunded in full" in world.top())

    refund = await world.stripe.refund(intent)
    await world.until(lambda: "Paid · Refunded" in world.top())
    await world.stripe.change_refund(refund["id"], status="failed", failure_reason="lost_or_stolen_card")
    await world.until(lambda: "(the card was lost or stolen): the buyer didn't get it." in world.top())
    assert "Paid · Refunded" not in world.top()

    dispute = await world.stripe.dispute(intent, status="warning_needs_response")
    await world.until(lambda: "Paid · Inquiry" in world.top())
    assert "Answer the inquiry in the Stripe Dashboard before its deadline" in world.top()
    await world.stripe.change_dispute(dispute["id"], status="warning_closed")
    await world.until(lambda: "the inquiry was closed" in world.top())
    assert "Inquiry" not in world.top().split("the inquiry was closed")[0].split("Resolve")[0]

    # It was one modal all the time.
    assert [one.id for one in world.workspace.views(world.alice)] == [view.id]
    assert refused_calls(world) == []
