"""Events through the API: each type in its shape, in order, from where one left off."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from domain.feed import reading
from domain.models import FeedEvent
from sandbox.stripe.server import LocalStripe
from tests.bot.api.conftest import Served, invoice
from tests.databases import on_sqlite
from tests.domain.world import ADA


async def test_a_program_follows_what_happens(served: Served, stripe: LocalStripe) -> None:
    await served.ours.put([invoice("A-1")])
    assert (await served.ours.get("/events")).body == {"events": [], "next": 0, "has_more": False}
    await served.ours.ask("POST", "/invoices/A-1/payment-link")
    first = (await served.ours.get("/events?after=0")).body
    [created] = first["events"]
    assert created | {"at": ""} == {
        "type": "link_created",
        "position": 1,
        "at": "",
        "invoice_number": "A-1",
        "url": stripe.links()[0]["url"],
        "amount": "1200.50",
        "currency": "USD",
    }
    session = await stripe.open_session(stripe.links()[0]["id"])
    intent = (await stripe.pay(session["id"]))["payment_intent"]
    await served.world.watching.sweep_if_due()
    await stripe.refund(intent, amount=200_00)
    await stripe.dispute(intent)
    for event in stripe.objects("event"):
        await served.world.watch.receive(event)
    await served.world.watching.settle_due()
    after = (await served.ours.get(f"/events?after={first['next']}")).body
    by_type = {event["type"]: event for event in after["events"]}
    assert next(iter(by_type)) == "paid"
    assert by_type.keys() == {"paid", "refunded", "disputed", "exception_opened"}
    assert (by_type["paid"]["amount"], by_type["paid"]["stripe_payment"]) == ("1200.50", intent)
    refunded = by_type["refunded"]
    assert (refunded["amount"], refunded["refunded_in_all"], refunded["paid"]) == (
        "200.00",
        "200.00",
        "1200.50",
    )
    assert by_type["disputed"]["inquiry"] is False
    positions = [event["position"] for event in after["events"]]
    assert positions == sorted(positions)
    [opened] = [event for event in after["events"] if event.get("kind") == "refunded"]
    await served.world.desk.resolve_exception(ADA, opened["exception"], "Talked to the buyer")
    [resolved] = (await served.ours.get(f"/events?after={after['next']}")).body["events"]
    assert (resolved["type"], resolved["by"], resolved["reason"]) == (
        "exception_resolved",
        ADA.user_id,
        "Talked to the buyer",
    )


async def test_what_is_not_kept_any_more_is_told(served: Served) -> None:
    await served.ours.put([invoice(f"A-{n}") for n in range(2)])
    for n in range(2):
        await served.ours.ask("POST", f"/invoices/A-{n}/payment-link")
    old = datetime.now(UTC) - timedelta(days=31)
    first = sa.update(FeedEvent).where(FeedEvent.invoice_number == "A-0").values(at=old)
    served.world.db.run(lambda session: session.execute(first))
    await reading.forget_old(served.world.db)
    gone = await served.ours.get("/events?after=0")
    assert (gone.status, gone.problem) == (410, "events-forgotten")
    [kept] = (await served.ours.get("/events")).body["events"]
    assert kept["invoice_number"] == "A-1"


async def test_a_position_that_never_was_is_told(served: Served) -> None:
    answer = await served.ours.get("/events?after=7")
    assert (answer.status, answer.problem) == (409, "events-unknown")


@on_sqlite
async def test_a_position_that_is_none_is_refused(served: Served) -> None:
    for after in ("", "-1", "x", "1.0", str(2**63), "9" * 100, "%C2%B2"):
        assert (await served.ours.get(f"/events?after={after}")).problem == "malformed", after
