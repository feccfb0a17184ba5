"""A link that is taken up comes with its payments and all that became of them, or not yet."""

from typing import Any

import pytest
import sqlalchemy as sa

from domain.exceptions.resolving import resolve
from domain.models import PaymentException
from domain.states import Badge, ExceptionKind, LinkStatus, Settlement
from domain.stripe.errors import StripeAway
from sandbox.stripe.server import LocalStripe
from tests.domain import backups
from tests.domain.factories import make_invoice
from tests.domain.payments.gaps import DAY, create, pass_time, restarted
from tests.domain.payments.test_deactivated_links import see, shown
from tests.domain.payments.test_unknown import keep_one, link_of, pay, said
from tests.domain.payments.test_unknown_later import exceptions, of_later
from tests.domain.world import ADA, World


def dies_at_refunds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process gets no further than to ask for refunds."""
    list_page = world.api.list_page

    async def listed(path: str, *args: Any) -> dict[str, Any]:
        if path == "/v1/refunds":
            raise StripeAway("it died")
        return await list_page(path, *args)

    monkeypatch.setattr(world.api, "list_page", listed)


async def test_a_process_that_dies_before_it_reads_the_refunds_leaves_them_to_the_next(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice_id = make_invoice(world.db)
    backup = backups.take(world.db)
    await create(world, invoice_id)
    link = link_of(world, invoice_id)
    session = await pay(stripe, str(link.stripe_id))
    await stripe.refund(session["payment_intent"], amount=500)
    # No event tells of it any more.
    pass_time(stripe, world, 40 * DAY)
    async with restarted(world, backup) as dying:
        dies_at_refunds(dying, monkeypatch)
        await dying.watching.poll_if_due()
    async with restarted(world) as after:
        await after.api.get_account()
        await create(after, invoice_id)
        await see(after)
        seen = shown(after, invoice_id)
        assert (seen.status, seen.badges) == (LinkStatus.PAID, (Badge.PARTLY_REFUNDED,))
        assert sorted(said(after)) == ["paid", "refunded"]
    assert len(stripe.links()) == 1


async def test_so_does_one_that_takes_up_what_was_told_of_before_its_invoice_was_there(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep_one(world, stripe)
    copy = await of_later(stripe)
    session = await pay(stripe, copy["id"])
    await see(world)
    await stripe.refund(session["payment_intent"], amount=500)
    await see(world)
    pass_time(stripe, world, 3 * DAY)
    await world.watching.sweep_if_due()
    invoice_id = make_invoice(world.db, "NEW-1")
    async with restarted(world) as dying:
        dies_at_refunds(dying, monkeypatch)
        await dying.watching.poll_if_due()
    async with restarted(world) as after:
        await see(after)
        assert shown(after, invoice_id).badges == (Badge.PARTLY_REFUNDED,)


async def test_what_was_told_of_its_payment_before_is_told_once_and_ends(
    world: World, stripe: LocalStripe
) -> None:
    await keep_one(world, stripe)
    copy = await of_later(stripe)
    session = await pay(stripe, copy["id"])
    await see(world)
    refund = await stripe.refund(session["payment_intent"], amount=500)
    await stripe.change_refund(refund["id"], status="failed")
    dispute = await stripe.dispute(session["payment_intent"], amount=700)
    await see(world)
    told = [(ExceptionKind.DISPUTED, None), (ExceptionKind.REFUND_FAILED, None)]
    assert sorted(exceptions(world)[1:]) == told
    invoice_id = make_invoice(world.db, "NEW-1")
    await see(world)
    assert shown(world, invoice_id).badges == (Badge.DISPUTED,)
    assert sorted(exceptions(world)[1:]) == told
    assert link_of(world, invoice_id).exception
    about = sa.select(PaymentException.invoice_id).where(PaymentException.resolved_at.is_(None))
    assert world.db.run(lambda session: session.scalars(about).all()) == [invoice_id] * 2
    await stripe.change_dispute(dispute["id"], status="won")
    await stripe.refund(session["payment_intent"], amount=500)
    await see(world)
    assert sorted(exceptions(world)[1:]) == [
        (ExceptionKind.DISPUTED, Settlement.DISPUTE_WON),
        (ExceptionKind.REFUND_FAILED, Settlement.REFUND_SUCCEEDED),
        (ExceptionKind.REFUNDED, None),
    ]


@pytest.mark.parametrize("end", ["won", "lost"])
async def test_how_a_dispute_ended_before_is_not_told_again(
    world: World, stripe: LocalStripe, end: str
) -> None:
    await keep_one(world, stripe)
    copy = await of_later(stripe)
    session = await pay(stripe, copy["id"])
    await see(world)
    dispute = await stripe.dispute(session["payment_intent"])
    await see(world)
    await stripe.change_dispute(dispute["id"], status=end)
    await see(world)
    if end == "lost":
        of_loss = sa.select(PaymentException.id).where(PaymentException.kind == ExceptionKind.DISPUTE_LOST)
        loss = world.db.run(lambda session: session.scalars(of_loss).one())
        world.db.run(resolve, None, loss, "Booked", by=ADA.user_id, now=world.clock())
        await see(world)
    world.poster.posted.clear()
    invoice_id = make_invoice(world.db, "NEW-1")
    await see(world)
    assert shown(world, invoice_id).badges == ((Badge.DISPUTE_LOST,) if end == "lost" else ())
    assert said(world) == ["paid", "payment_unknown"]


async def test_what_another_organisation_was_told_stays_theirs(world: World, stripe: LocalStripe) -> None:
    """Somebody changes at Stripe whose link it is."""
    await keep_one(world, stripe)
    eve = await world.serve("T0OTHER")
    theirs = {"organization": "T0OTHER", "invoice_number": "NEW-1", "paylink_reference": "0f1e2d3c4b5a"}
    copy = await stripe.copy_link(stripe.links()[0]["id"], metadata=theirs)
    session = await pay(stripe, copy["id"])
    await see(world)
    await stripe.dispute(session["payment_intent"], status="lost")
    await see(world)
    assert [one.exception and one.exception.kind for one in eve.poster.posted] == [
        ExceptionKind.PAYMENT_UNKNOWN,
        ExceptionKind.DISPUTE_LOST,
    ]
    world.poster.posted.clear()
    metadata = {"metadata": {"organization": ADA.team_id}}
    await world.api._call("post", f"/v1/payment_links/{copy['id']}", metadata)
    invoice_id = make_invoice(world.db, "NEW-1")
    make_invoice(world.db, "NEW-1", organisation_id=eve.id)
    await see(world)
    assert link_of(world, invoice_id).stripe_id == copy["id"]
    lost = sa.select(PaymentException.organisation_id, PaymentException.invoice_id)
    lost = lost.where(PaymentException.kind == ExceptionKind.DISPUTE_LOST).order_by(PaymentException.id)
    rows = world.db.run(lambda session: [tuple(row) for row in session.execute(lost)])
    assert rows == [(eve.id, None), (world.organisation_id, invoice_id)]
    assert said(world) == ["paid", "dispute_lost"]
