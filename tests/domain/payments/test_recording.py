"""One recorded payment and one announcement, whoever saw it; everything that doesn't fit is kept and told."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.models import Ledger, Link, Payment
from domain.money import Money
from domain.payments.event_reading import TYPES
from domain.payments.events import Receipt
from domain.states import AnnouncementKind, Badge, ExceptionKind, LinkStatus
from domain.summaries import InvoiceSummary
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")


@pytest.fixture
async def link(world: World, stripe: LocalStripe) -> str:
    """Stripe's id of a link that waits for its payment."""
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-1"), SEEN, patience=PATIENCE)
    return str(stripe.links()[0]["id"])


async def pay(stripe: LocalStripe, link: str, **how: Any) -> dict[str, Any]:
    session = await stripe.open_session(link)
    return await stripe.pay(session["id"], **how)


async def shown(world: World) -> InvoiceSummary:
    found = await world.desk.find_invoice(ADA, "inv-1 ")
    assert found is not None
    return found


def told(world: World) -> list[tuple[AnnouncementKind, ExceptionKind | None]]:
    return [
        (message.kind, message.exception.kind if message.exception else None)
        for message in world.poster.posted
    ]


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


async def test_the_sweep_finds_what_events_no_longer_tell(
    world: World, stripe: LocalStripe, link: str
) -> None:
    await pay(stripe, link)
    stripe.advance(40 * 86400)
    world.ahead = timedelta(days=40)
    await world.watching.poll_if_due()
    assert (await shown(world)).status is LinkStatus.PENDING_PAYMENT
    await world.watch.sweep_if_due()
    await world.see()
    assert (await shown(world)).status is LinkStatus.PAID
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


async def test_a_stripe_outage_loses_nothing(world: World, stripe: LocalStripe, link: str) -> None:
    outage = stripe.faults.outage()
    await pay(stripe, link)
    await world.watching.poll_if_due()
    assert (await world.desk.get_stripe_state(ADA)).paused
    stripe.faults.remove(outage)
    await world.db.write(lambda session: session.execute(sa.text("DELETE FROM duties")))
    await world.see()
    assert told(world) == [(AnnouncementKind.PAID, None)]
    assert (await world.desk.get_stripe_state(ADA)).paused is None


async def test_a_key_that_may_not_read_disputes_costs_their_badges_alone(
    world: World, stripe: LocalStripe, link: str
) -> None:
    session = await pay(stripe, link)
    await stripe.refund(session["payment_intent"], amount=100)
    await stripe.dispute(session["payment_intent"])
    allowed = {"event_read", "checkout_session_read", "charge_read", "refund_read", "payment_link_write"}
    stripe.key(stripe.api_key).permissions = frozenset(f"rak_{one}" for one in allowed)
    await world.see()
    await world.see()
    assert (await world.desk.get_stripe_state(ADA)).paused is None
    assert sorted(str(kind) for _, kind in told(world)) == ["None", "refunded"]


async def test_the_sweep_sees_disputes_where_refunds_cannot_be_read(
    world: World, stripe: LocalStripe, link: str
) -> None:
    session = await pay(stripe, link)
    await stripe.refund(session["payment_intent"], amount=100)
    await stripe.dispute(session["payment_intent"])
    allowed = {"checkout_session_read", "dispute_read"}
    stripe.key(stripe.api_key).permissions = frozenset(f"rak_{one}" for one in allowed)
    assert await world.watch.sweep_if_due(at_start=True)
    await world.announcing.deliver_due()
    assert sorted(str(kind) for _, kind in told(world)) == ["None", "disputed"]


async def test_a_sweep_that_failed_at_the_start_is_soon_due_again(
    world: World, stripe: LocalStripe, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.payments.account_watch.AFTER_TROUBLE", timedelta(0))
    await pay(stripe, link)
    outage = stripe.faults.outage()
    assert not await world.watch.sweep_if_due(at_start=True)
    stripe.faults.remove(outage)
    assert await world.watch.sweep_if_due(at_start=True)
    assert (await shown(world)).status is LinkStatus.PAID


async def test_a_poll_is_one_request_however_many_links_wait(world: World, stripe: LocalStripe) -> None:
    for _ in range(12):
        await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    before = len(stripe.requests)
    await world.watching.poll_if_due()
    assert [record.path for record in stripe.requests[before:]] == ["/v1/events"]


@pytest.mark.parametrize(("days", "polled"), [(2.9, True), (3.1, False)])
async def test_for_three_days_after_a_payment_the_poll_keeps_its_interval(
    world: World, stripe: LocalStripe, link: str, days: float, polled: bool
) -> None:
    await pay(stripe, link)
    await world.see()
    paid_at = world.clock() - timedelta(days=days)
    world.db.run(lambda session: session.execute(sa.update(Link).values(changed_at=paid_at)))
    before = len(stripe.requests)
    await world.watching.poll_if_due()
    assert (len(stripe.requests) > before) is polled


async def test_the_watermark_follows_stripes_clock(world: World, stripe: LocalStripe, link: str) -> None:
    world.ahead = timedelta(minutes=30)
    await pay(stripe, link)
    await world.see()
    watermark = await world.db.read(lambda session: session.scalar(sa.select(Ledger.events_watermark)))
    assert watermark is not None
    assert abs(watermark.timestamp() - stripe.now()) < 60


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
