"""Refunds and disputes follow Stripe: each is told once for each status, and no badge outlives what it says."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.exceptions.resolving import resolve
from domain.models import OutboxMessage, PaymentException, Reversal
from domain.money import Money
from domain.states import AnnouncementKind, Badge, ExceptionKind, LinkStatus
from domain.summaries import ExceptionSummary, InvoiceSummary
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(1_000, "USD")


@pytest.fixture
async def link(world: World, stripe: LocalStripe) -> str:
    """Stripe's id of a link that waits for its payment."""
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-1", amount=1_000), SEEN, patience=PATIENCE)
    return str(stripe.links()[0]["id"])


@pytest.fixture
async def paid(world: World, stripe: LocalStripe, link: str) -> str:
    """A payment of it that was seen, by its payment intent."""
    session = await stripe.open_session(link)
    intent = str((await stripe.pay(session["id"]))["payment_intent"])
    await see(world, stripe)
    world.poster.posted.clear()
    return intent


async def see(world: World, stripe: LocalStripe) -> None:
    """Receive every event there is, settle what it is about, and tell all of it."""
    for event in stripe.objects("event"):
        await world.watch.receive(event)
    await world.watching.settle_due()
    for _ in range(3):
        world.db.run(lambda session: session.execute(sa.text("UPDATE paces SET next_at = 0")))
        await world.announcing.deliver_due()


async def shown(world: World) -> InvoiceSummary:
    found = await world.desk.find_invoice(ADA, "INV-1")
    assert found is not None
    return found


async def badges(world: World) -> tuple[Badge, ...]:
    invoice = await shown(world)
    assert invoice.status is LinkStatus.PAID
    return invoice.badges


def told(world: World) -> list[ExceptionKind]:
    """What was told since, which is forgotten."""
    kinds = [
        message.exception.kind
        for message in world.poster.posted
        if message.kind is AnnouncementKind.EXCEPTION and message.exception is not None
    ]
    world.poster.posted.clear()
    return kinds


def exceptions(world: World) -> list[ExceptionSummary]:
    """Those that were told by themselves."""
    return [
        message.exception
        for message in world.poster.posted
        if message.kind is AnnouncementKind.EXCEPTION and message.exception is not None
    ]


async def open_ones(world: World) -> list[PaymentException]:
    open_ = sa.select(PaymentException).where(PaymentException.resolved_at.is_(None))
    return world.db.run(lambda session: list(session.scalars(open_.order_by(PaymentException.id))))


async def open_kinds(world: World) -> list[ExceptionKind]:
    return [ExceptionKind(one.kind) for one in await open_ones(world)]


async def test_each_refund_is_told_with_its_own_sum_and_the_sum_so_far(
    world: World, stripe: LocalStripe, paid: str
) -> None:
    await stripe.refund(paid, amount=200)
    await see(world, stripe)
    assert await badges(world) == (Badge.PARTLY_REFUNDED,)
    await stripe.refund(paid, amount=300)
    await see(world, stripe)
    await see(world, stripe)
    await world.watch.sweep_if_due(at_start=True)
    await see(world, stripe)
    sums = [(one.amount, one.facts.so_far) for one in exceptions(world)]
    assert sums == [(Money(200, "USD"), Money(200, "USD")), (Money(300, "USD"), Money(500, "USD"))]
    await stripe.refund(paid, amount=500)
    await see(world, stripe)
    assert await badges(world) == (Badge.REFUNDED,)
    (option,) = await world.desk.find_options(ADA, "INV-1")
    assert option.badges == (Badge.REFUNDED,)


async def test_a_refund_that_fails_gives_its_badge_back_and_the_same_sum_is_told_again(
    world: World, stripe: LocalStripe, paid: str
) -> None:
    refund = await stripe.refund(paid)
    await see(world, stripe)
    assert (await badges(world), told(world)) == ((Badge.REFUNDED,), [ExceptionKind.REFUNDED])
    await stripe.change_refund(refund["id"], status="failed", failure_reason="insufficient_funds")
    await see(world, stripe)
    await see(world, stripe)
    assert (await badges(world), told(world)) == ((), [ExceptionKind.REFUND_FAILED])
    assert await open_kinds(world) == [ExceptionKind.REFUND_FAILED]
    await stripe.refund(paid)
    await see(world, stripe)
    assert await badges(world) == (Badge.REFUNDED,)
    assert ExceptionKind.REFUNDED in told(world)
    assert await open_kinds(world) == [ExceptionKind.REFUNDED]


async def test_a_pending_refund_is_none_yet(world: World, stripe: LocalStripe, paid: str) -> None:
    refund = await stripe.refund(paid, status="pending")
    await see(world, stripe)
    assert (await badges(world), told(world)) == ((), [])
    await stripe.change_refund(refund["id"], status="succeeded")
    await see(world, stripe)
    assert (await badges(world), told(world)) == ((Badge.REFUNDED,), [ExceptionKind.REFUNDED])


@pytest.mark.parametrize("end", ["failed", "canceled"])
async def test_a_pending_refund_that_fails_is_told_though_it_never_was_one(
    world: World, stripe: LocalStripe, paid: str, end: str
) -> None:
    refund = await stripe.refund(paid, status="pending")
    await see(world, stripe)
    await stripe.change_refund(refund["id"], status=end)
    await see(world, stripe)
    assert (await badges(world), told(world)) == ((), [ExceptionKind.REFUND_FAILED])


async def test_a_surplus_payment_that_is_refunded_settles_itself_and_leaves_paid_plain(
    world: World, stripe: LocalStripe, link: str
) -> None:
    first, second = await stripe.open_session(link), await stripe.open_session(link)
    await stripe.pay(first["id"])
    await see(world, stripe)
    surplus = await stripe.pay(second["id"])
    await see(world, stripe)
    assert await open_kinds(world) == [ExceptionKind.SECOND_PAYMENT]
    told(world)
    refund = await stripe.refund(str(surplus["payment_intent"]))
    await see(world, stripe)
    invoice = await shown(world)
    assert (await badges(world), await open_kinds(world)) == ((), [])
    assert invoice.link is not None
    assert not invoice.link.exception
    assert [message.kind for message in world.poster.posted] == [AnnouncementKind.FOLLOW_UP]
    await stripe.change_refund(refund["id"], status="failed")
    await see(world, stripe)
    assert (await badges(world), await open_kinds(world)) == ((), [ExceptionKind.REFUND_FAILED])


async def test_an_older_answer_changes_nothing(world: World, stripe: LocalStripe, paid: str) -> None:
    dispute = await stripe.dispute(paid)
    await see(world, stripe)
    await stripe.change_dispute(dispute["id"], status="won")
    await see(world, stripe)
    told(world)
    stripe.late.stale(dispute["id"], times=1)
    events: list[dict[str, Any]] = [
        e for e in stripe.objects("event") if e["type"] == "charge.dispute.updated"
    ]
    for event in events:
        await world.watch.receive(event)
    await world.watch.sweep_if_due(at_start=True)
    await see(world, stripe)
    assert (await badges(world), told(world)) == ((), [])


async def test_what_the_version_before_told_isnt_told_again(
    world: World, stripe: LocalStripe, paid: str
) -> None:
    await stripe.refund(paid, amount=400)
    await see(world, stripe)
    charge = next(refund["charge"] for refund in stripe.objects("refund"))

    def as_before(session: Any) -> None:
        session.execute(sa.delete(OutboxMessage).where(OutboxMessage.exception_id.is_not(None)))
        session.execute(
            sa.update(PaymentException).values(
                key=f"refunded:{charge}:400", reversal_id=None, payment_id=None
            )
        )
        session.execute(sa.delete(Reversal))

    world.db.run(as_before)
    told(world)
    world.ahead = timedelta(seconds=1)
    await world.watch.sweep_if_due(at_start=True)
    await see(world, stripe)
    assert (await badges(world), told(world)) == ((Badge.PARTLY_REFUNDED,), [])


async def test_a_refund_of_another_sum_leaves_a_failed_one_open(
    world: World, stripe: LocalStripe, paid: str
) -> None:
    refund = await stripe.refund(paid, amount=200)
    await see(world, stripe)
    await stripe.change_refund(refund["id"], status="failed")
    await see(world, stripe)
    await stripe.refund(paid, amount=300)
    await see(world, stripe)
    assert await open_kinds(world) == [ExceptionKind.REFUND_FAILED, ExceptionKind.REFUNDED]
    await stripe.refund(paid, amount=200)
    await see(world, stripe)
    assert await open_kinds(world) == [ExceptionKind.REFUNDED, ExceptionKind.REFUNDED]


async def test_money_that_comes_after_all_settles_what_was_completed_without(
    world: World, stripe: LocalStripe, link: str
) -> None:
    session = await stripe.open_session(link)
    await stripe.pay(session["id"], unpaid=True)
    await see(world, stripe)
    assert await open_kinds(world) == [ExceptionKind.COMPLETED_UNPAID]
    await stripe.settle(session["id"])
    await see(world, stripe)
    invoice = await shown(world)
    assert (invoice.status, await open_kinds(world)) == (LinkStatus.PAID, [])
    assert invoice.link is not None
    assert not invoice.link.exception


async def test_a_surplus_payment_that_somebody_dealt_with_is_told_as_refunded_in_its_thread(
    world: World, stripe: LocalStripe, link: str
) -> None:
    first, second = await stripe.open_session(link), await stripe.open_session(link)
    await stripe.pay(first["id"])
    await see(world, stripe)
    surplus = await stripe.pay(second["id"])
    await see(world, stripe)
    (one,) = await open_ones(world)
    world.db.run(resolve, world.organisation_id, one.id, "Refunding", by=ADA.user_id, now=world.clock())
    await see(world, stripe)
    told(world)
    for _ in range(2):
        refund = await stripe.refund(str(surplus["payment_intent"]))
        await see(world, stripe)
        assert (await badges(world), await open_kinds(world)) == ((), [])
        assert told(world) == []
        await stripe.change_refund(refund["id"], status="failed")
        await see(world, stripe)
        assert await open_kinds(world) == [ExceptionKind.REFUND_FAILED]
        told(world)
