"""One recorded payment and one announcement, whoever saw it; everything that doesn't fit is kept and told."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.models import Payment
from domain.payments.event_reading import TYPES
from domain.payments.events import Receipt
from domain.states import AnnouncementKind, Badge, ExceptionKind, LinkStatus
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.payments.paying import SEEN, link, pay, shown, told
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

__all__ = ["link"]


async def test_a_payment_is_recorded_and_told_once(world: World, stripe: LocalStripe, link: str) -> None:
    await pay(stripe, link)
    await world.see()
    await world.see()
    await world.watch.sweep_if_due(at_start=True)
    await world.see()
    invoice = await shown(world)
    assert invoice.status is LinkStatus.PAID
    assert invoice.link is not None
    assert invoice.link.amount_received == SEEN
    assert invoice.link.paid_at is not None
    assert (invoice.link.stripe_payment or "").startswith("pi_")
    assert told(world) == [(AnnouncementKind.PAID, None)]
    assert world.poster.posted[0].destination == "C0PAYMENTS"


async def test_webhook_poll_and_sweep_at_once_see_one_payment(
    world: World, stripe: LocalStripe, link: str
) -> None:
    await pay(stripe, link)
    events = [event for event in stripe.objects("event") if event["type"] in TYPES]
    await asyncio.gather(*(world.watch.receive(event) for event in events * 5))
    await asyncio.gather(
        world.watching.poll_if_due(),
        world.watch.sweep_if_due(at_start=True),
        world.watching.settle_due(),
        world.watching.settle_due(),
    )
    await world.see()
    assert told(world) == [(AnnouncementKind.PAID, None)]


async def test_a_second_payment_is_an_exception(world: World, stripe: LocalStripe, link: str) -> None:
    first, second = await stripe.open_session(link), await stripe.open_session(link)
    await stripe.pay(first["id"])
    await stripe.pay(second["id"])
    await world.see()
    await world.see()
    assert told(world) == [
        (AnnouncementKind.PAID, None),
        (AnnouncementKind.EXCEPTION, ExceptionKind.SECOND_PAYMENT),
    ]
    invoice = await shown(world)
    assert invoice.link is not None
    assert invoice.link.exception


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ({"amount": 1}, ExceptionKind.AMOUNT_DIFFERS),
        ({"currency": "eur"}, ExceptionKind.CURRENCY_DIFFERS),
        ({"unpaid": True}, ExceptionKind.COMPLETED_UNPAID),
    ],
)
async def test_what_doesnt_fit_stays_pending_and_is_told(
    world: World, stripe: LocalStripe, link: str, how: dict[str, Any], kind: ExceptionKind
) -> None:
    await pay(stripe, link, **how)
    await world.see()
    await world.watch.sweep_if_due(at_start=True)
    await world.see()
    assert (await shown(world)).status is LinkStatus.PENDING_PAYMENT
    assert told(world) == [(AnnouncementKind.EXCEPTION, kind)]


async def test_unpaid_becomes_paid_when_the_money_comes(world: World, stripe: LocalStripe, link: str) -> None:
    session = await pay(stripe, link, unpaid=True)
    await world.see()
    await stripe.settle(session["id"])
    await world.see()
    assert (await shown(world)).status is LinkStatus.PAID
    assert told(world)[-1] == (AnnouncementKind.PAID, None)


async def test_refund_and_dispute_show_beside_paid_and_are_told_once(
    world: World, stripe: LocalStripe, link: str
) -> None:
    session = await pay(stripe, link)
    await stripe.refund(session["payment_intent"], amount=100)
    await stripe.dispute(session["payment_intent"])
    await world.see()
    await world.see()
    await world.watch.sweep_if_due(at_start=True)
    await world.see()
    invoice = await shown(world)
    assert invoice.status is LinkStatus.PAID
    assert invoice.badges == (Badge.PARTLY_REFUNDED, Badge.DISPUTED)
    assert sorted(str(kind) for _, kind in told(world)) == ["None", "disputed", "refunded"]


async def test_an_event_that_overtakes_the_payment_waits_for_it(
    world: World, stripe: LocalStripe, link: str
) -> None:
    session = await pay(stripe, link)
    await stripe.refund(session["payment_intent"])
    refund = next(event for event in stripe.objects("event") if event["type"] == "charge.refunded")
    await world.watch.receive(refund)
    await world.see()
    await world.see()
    assert sorted(str(kind) for _, kind in told(world)) == ["None", "refunded"]


async def test_a_replay_is_known_before_and_after_it_is_settled(
    world: World, stripe: LocalStripe, link: str
) -> None:
    await pay(stripe, link)
    event = next(one for one in stripe.objects("event") if one["type"] == "checkout.session.completed")
    assert await world.watch.receive(event) is Receipt.KEPT
    assert await world.watch.receive(event) is Receipt.KNOWN
    await world.see()
    assert await world.watch.receive(event) is Receipt.KNOWN


async def test_payments_that_arent_ours_change_nothing(world: World, stripe: LocalStripe, link: str) -> None:
    event = {
        "id": "evt_other",
        "object": "event",
        "type": "checkout.session.completed",
        "created": stripe.now(),
        "livemode": False,
        "data": {"object": {"id": "cs_other", "payment_link": "plink_other", "metadata": {}}},
    }
    broken = {"type": "checkout.session.completed", "livemode": False, "data": 7}
    for other in (event, {**event, "livemode": True}, broken):
        assert await world.watch.receive(other) is Receipt.NOT_OURS
    await world.see()
    assert world.poster.posted == []


@pytest.mark.parametrize("text", ["\0", "\ud800", "x" * 300])
async def test_text_that_is_no_id_is_nobodys(world: World, stripe: LocalStripe, link: str, text: str) -> None:
    about = {"id": "cs_other", "payment_link": text, "metadata": {"paylink_reference": text}}
    event = {
        "id": "evt_other",
        "type": "checkout.session.completed",
        "created": stripe.now(),
        "livemode": False,
        "data": {"object": about},
    }
    assert await world.watch.receive(event) is Receipt.NOT_OURS


async def test_the_database_refuses_a_second_recorded_payment(
    world: World, stripe: LocalStripe, link: str
) -> None:
    await pay(stripe, link)
    await world.see()

    def copy(session: sa.orm.Session) -> None:
        row = session.execute(sa.select(Payment.__table__)).mappings().one()
        session.execute(sa.insert(Payment).values(**{**row, "id": 99, "session_id": "cs_other"}))

    with pytest.raises(sa.exc.IntegrityError):
        await world.db.write(copy)


async def test_a_link_that_was_paid_before_we_knew_it_is_paid_once_we_do(
    world: World, stripe: LocalStripe
) -> None:
    """Its answer got lost, somebody paid it, and the bot was off for 40 days."""
    invoice_id = make_invoice(world.db, "INV-1")
    stripe.faults.add(FaultKind.LOST, method="POST", path="/v1/payment_links")
    await world.desk.create_link(ADA, invoice_id, SEEN, patience=PATIENCE)
    (unknown,) = stripe.links()
    await pay(stripe, unknown["id"])
    await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    stripe.advance(40 * 86400)
    world.ahead = timedelta(days=40)
    await world.watch.sweep_if_due()
    async with asyncio.timeout(PATIENCE):
        while (await shown(world)).status is LinkStatus.NOT_CREATED:
            await world.creation.run_due()
            await asyncio.sleep(0.05)
    assert len(stripe.links()) == 2
    await world.db.write(lambda session: session.execute(sa.text("DELETE FROM duties")))
    await world.watch.sweep_if_due()
    await world.see()
    assert (await shown(world)).status is LinkStatus.PAID
    assert told(world) == [(AnnouncementKind.PAID, None)]
