"""What becomes of a payment or link that Paylink didn't know, after it was told."""

from typing import Any

import pytest
import sqlalchemy as sa

from domain.models import PaymentException
from domain.states import ExceptionKind, LinkStatus, Settlement
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.payments.test_deactivated_links import linked, see, shown
from tests.domain.payments.test_unknown import keep_one, link_of, pay
from tests.domain.world import ADA, World


def exceptions(world: World) -> list[tuple[Any, Any]]:
    kept = sa.select(PaymentException.kind, PaymentException.resolution).order_by(PaymentException.id)
    return [(row[0], row[1]) for row in world.db.run(lambda session: session.execute(kept).all())]


async def of_later(stripe: LocalStripe) -> dict[str, Any]:
    """A link that Paylink made for an invoice that isn't imported here."""
    metadata = {"organization": ADA.team_id, "invoice_number": "NEW-1", "paylink_reference": "0f1e2d3c4b5a"}
    return await stripe.copy_link(stripe.links()[0]["id"], metadata=metadata)


@pytest.mark.parametrize("paid", [False, True])
async def test_an_invoice_that_is_imported_later_has_the_link_that_was_told_of(
    world: World, stripe: LocalStripe, paid: bool
) -> None:
    await keep_one(world, stripe)
    copy = await of_later(stripe)
    if paid:
        await pay(stripe, copy["id"])
    await see(world)
    kind = ExceptionKind.PAYMENT_UNKNOWN if paid else ExceptionKind.LINK_UNKNOWN
    assert exceptions(world) == [(kind, None)]
    invoice_id = make_invoice(world.db, "NEW-1")
    await see(world)
    assert link_of(world, invoice_id).stripe_id == copy["id"]
    assert shown(world, invoice_id).status is (LinkStatus.PAID if paid else LinkStatus.PENDING_PAYMENT)
    assert {resolution for _, resolution in exceptions(world)} == {Settlement.LINK_KNOWN}


async def test_one_that_asks_for_another_amount_is_looked_at_once(world: World, stripe: LocalStripe) -> None:
    await keep_one(world, stripe)
    copy = await of_later(stripe)
    await see(world)
    invoice_id = make_invoice(world.db, "NEW-1", amount=5)
    await see(world)
    assert exceptions(world) == [(ExceptionKind.LINK_UNKNOWN, None)]
    told = world.db.run(lambda session: session.scalars(sa.select(PaymentException)).one())
    assert told.invoice_id == invoice_id
    before = len(stripe.requests)
    await see(world)
    assert not any(copy["id"] in one.path for one in stripe.requests[before:])


async def test_one_that_is_switched_off_is_nobodys_task_any_more(world: World, stripe: LocalStripe) -> None:
    await keep_one(world, stripe)
    copy = await of_later(stripe)
    await see(world)
    await stripe.deactivate(copy["id"])
    await see(world)
    assert exceptions(world) == [(ExceptionKind.LINK_UNKNOWN, Settlement.LINK_CLOSED)]


async def unknown_payment(world: World, stripe: LocalStripe) -> str:
    """Told of; its payment intent."""
    original = link_of(world, await linked(world)).stripe_id
    copy = await stripe.copy_link(str(original), amount=900)
    session = await pay(stripe, copy["id"])
    await see(world)
    assert (ExceptionKind.PAYMENT_UNKNOWN, None) in exceptions(world)
    return str(session["payment_intent"])


def of_payment(world: World) -> list[tuple[Any, Any]]:
    return [row for row in exceptions(world) if row[0] is not ExceptionKind.LINK_UNKNOWN]


async def test_a_payment_that_was_not_known_ends_when_all_of_it_is_refunded(
    world: World, stripe: LocalStripe
) -> None:
    intent = await unknown_payment(world, stripe)
    await stripe.refund(intent, amount=400)
    await see(world)
    assert of_payment(world) == [(ExceptionKind.PAYMENT_UNKNOWN, None)]
    refund = await stripe.refund(intent, amount=500)
    await see(world)
    assert of_payment(world) == [(ExceptionKind.PAYMENT_UNKNOWN, Settlement.REFUNDED)]
    await stripe.change_refund(refund["id"], status="failed")
    await see(world)
    assert of_payment(world)[1:] == [(ExceptionKind.REFUND_FAILED, None)]
    await stripe.refund(intent, amount=500)
    await see(world)
    assert of_payment(world)[1:] == [(ExceptionKind.REFUND_FAILED, Settlement.REFUND_SUCCEEDED)]


@pytest.mark.parametrize(
    ("end", "how", "more"),
    [
        ("won", Settlement.DISPUTE_WON, []),
        ("lost", Settlement.DISPUTE_LOST, [(ExceptionKind.DISPUTE_LOST, None)]),
    ],
)
async def test_a_dispute_about_it_is_told_with_its_deadline_and_its_end(
    world: World, stripe: LocalStripe, end: str, how: Settlement, more: list[Any]
) -> None:
    intent = await unknown_payment(world, stripe)
    dispute = await stripe.dispute(intent, status="warning_needs_response")
    await see(world)
    assert of_payment(world)[1:] == [(ExceptionKind.DISPUTED, None)]
    await stripe.change_dispute(dispute["id"], status="needs_response")
    await see(world)
    assert of_payment(world)[1:] == [
        (ExceptionKind.DISPUTED, Settlement.DISPUTE_OPENED),
        (ExceptionKind.DISPUTED, None),
    ]
    open_ones = sa.select(PaymentException.due_by).where(
        PaymentException.kind == ExceptionKind.DISPUTED, PaymentException.resolved_at.is_(None)
    )
    assert world.db.run(lambda session: session.scalar(open_ones)) is not None
    await stripe.change_dispute(dispute["id"], status=end)
    await see(world)
    assert of_payment(world)[2:] == [(ExceptionKind.DISPUTED, how), *more]
    if end == "lost":
        # Each loss after a win is told.
        for status in ("won", "lost"):
            await stripe.change_dispute(dispute["id"], status=status)
            await see(world)
        lost = [row for row in of_payment(world) if row[0] is ExceptionKind.DISPUTE_LOST]
        assert [resolution for _, resolution in lost] == [Settlement.DISPUTE_WON, None]
