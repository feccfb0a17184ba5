"""Payments and links that Paylink doesn't know: told once, or adopted where they are its own."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.models import Link, PaymentException, StripeEvent
from domain.money import Money
from domain.payments.events import Receipt
from domain.reasons import Reason
from domain.states import Badge, ExceptionKind, LinkStatus
from sandbox.stripe.faults.rules import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import NOW, make_invoice, make_organisation
from tests.domain.payments.test_deactivated_links import linked, see, shown
from tests.domain.payments.test_thin_events import thin_of
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")


def opened(world: World) -> list[tuple[Any, ...]]:
    kept = sa.select(
        PaymentException.kind, PaymentException.invoice_number, PaymentException.invoice_id
    ).order_by(PaymentException.id)
    return [tuple(row) for row in world.db.run(lambda session: session.execute(kept).all())]


def forget(world: World, *, also: str = "") -> None:
    """The database is restored from before the link (but for ``also``, a link of another invoice)."""

    def restore(session: Any) -> None:
        for table in ("payment_exceptions", "outbox", "payments", "stripe_events"):
            session.execute(sa.text(f"DELETE FROM {table}"))
        session.execute(sa.delete(Link).where(Link.stripe_id != also))
        session.execute(sa.text("UPDATE invoices SET status = 'Not Created'"))

    world.db.run(restore)


async def keep_one(world: World, stripe: LocalStripe) -> str:
    """Another invoice's link, which the restored database knows, so that Stripe is watched; its id."""
    other = make_invoice(world.db)
    await world.desk.create_link(ADA, other, SEEN, patience=PATIENCE)
    return str(link_of(world, other).stripe_id)


def link_of(world: World, invoice_id: int) -> Link:
    found = sa.select(Link).where(Link.invoice_id == invoice_id)
    return world.db.run(lambda session: session.scalars(found).one())


async def pay(stripe: LocalStripe, link: str) -> dict[str, Any]:
    session = await stripe.open_session(link)
    return await stripe.pay(session["id"])


def said(world: World) -> list[str]:
    return [one.exception.kind.value if one.exception else one.kind.value for one in world.poster.posted]


@pytest.mark.parametrize("by", ["poll", "webhook", "thin", "sweep"])
async def test_after_a_restore_the_buyers_payment_is_told_and_there_is_no_second_link(
    world: World, stripe: LocalStripe, by: str
) -> None:
    known = await keep_one(world, stripe)
    invoice_id = await linked(world)
    link = link_of(world, invoice_id)
    await pay(stripe, str(link.stripe_id))
    forget(world, also=known)
    if by == "sweep":
        await world.watching.sweep_if_due()
    elif by != "poll":
        for event in stripe.objects("event"):
            about = event["data"]["object"]
            if event["type"] == "checkout.session.completed" and about["payment_link"] == link.stripe_id:
                receipt = await world.watch.receive(thin_of(event) if by == "thin" else event)
                assert receipt is Receipt.KEPT
        await world.watching.settle_due()
        await world.announcing.deliver_due()
    await see(world)
    await world.watching.sweep_if_due()
    after = shown(world, invoice_id)
    assert (after.status, after.reason, after.badges) == (LinkStatus.PAID, Reason.PAID, ())
    assert after.link is not None
    assert after.link.url == link.url
    assert said(world) == ["paid"]
    assert opened(world) == []
    adopted = link_of(world, invoice_id)
    assert (adopted.stripe_id, adopted.reference) == (link.stripe_id, link.reference)
    assert len(stripe.links()) == 2


async def test_an_adopted_link_waits_for_payment_and_is_as_stripe_says(
    world: World, stripe: LocalStripe
) -> None:
    known = await keep_one(world, stripe)
    invoice_id = await linked(world)
    await stripe.deactivate(str(link_of(world, invoice_id).stripe_id))
    forget(world, also=known)
    await see(world)
    after = shown(world, invoice_id)
    assert (after.status, after.badges) == (LinkStatus.PENDING_PAYMENT, (Badge.LINK_DEACTIVATED,))


async def test_a_copy_is_told_of_once_and_so_is_its_payment(world: World, stripe: LocalStripe) -> None:
    invoice_id = await linked(world)
    original = link_of(world, invoice_id).stripe_id
    copy = await stripe.copy_link(str(original), amount=900)
    await see(world)
    number = shown(world, invoice_id).number
    assert opened(world) == [(ExceptionKind.LINK_UNKNOWN, number, invoice_id)]
    await pay(stripe, copy["id"])
    await see(world)
    await world.watching.sweep_if_due()
    await see(world)
    assert opened(world)[1:] == [(ExceptionKind.PAYMENT_UNKNOWN, number, invoice_id)]
    assert said(world) == ["link_unknown", "payment_unknown"]
    # The original is paid too: that is the payment.
    await pay(stripe, str(original))
    await see(world)
    assert shown(world, invoice_id).status is LinkStatus.PAID
    assert said(world) == ["link_unknown", "payment_unknown", "paid"]


@pytest.mark.parametrize(
    ("changed", "known"),
    [
        ({"amount": 900}, True),
        ({"currency": "eur"}, True),
        ({"reference": None}, True),
        ({"number": "NOBODY-7"}, False),
        ({"number": "\u202eX" + "9" * 400}, False),
    ],
)
async def test_what_isnt_surely_paylinks_own_is_told_of_and_not_adopted(
    world: World, stripe: LocalStripe, changed: dict[str, Any], known: bool
) -> None:
    await keep_one(world, stripe)
    invoice_id = make_invoice(world.db, "INV-77")
    metadata = {
        "organization": ADA.team_id,
        "invoice_number": changed.get("number", " inv-77 "),
        "paylink_reference": changed.get("reference", "0f1e2d3c4b5a"),
    }
    metadata = {name: text for name, text in metadata.items() if text is not None}
    await stripe.copy_link(
        stripe.links()[0]["id"],
        amount=changed.get("amount", 120_050),
        currency=changed.get("currency"),
        metadata=metadata,
    )
    await see(world)
    [(kind, number, found)] = opened(world)
    assert (kind, found) == (ExceptionKind.LINK_UNKNOWN, invoice_id if known else None)
    assert len(number) <= 255
    assert number.isprintable()
    assert shown(world, invoice_id).link is None


async def test_what_names_another_organisation_is_left_alone(world: World, stripe: LocalStripe) -> None:
    await keep_one(world, stripe)
    make_organisation(world.db, "T0OTHER")
    elsewhere = sa.text("UPDATE organisations SET ledger_id = NULL WHERE team_id = 'T0OTHER'")
    world.db.run(lambda session: session.execute(elsewhere))
    for team in ("T0OTHER", "T0NOBODY"):
        metadata = {"organization": team, "invoice_number": "INV-1", "paylink_reference": "x"}
        copy = await stripe.copy_link(stripe.links()[0]["id"], metadata=metadata)
        await pay(stripe, copy["id"])
    await see(world)
    await world.watching.sweep_if_due()
    assert opened(world) == []


@pytest.mark.parametrize("told", [("link", "payment"), ("payment", "link"), ("payment",)])
async def test_a_link_that_is_being_created_is_not_unknown(
    world: World, stripe: LocalStripe, told: tuple[str, ...]
) -> None:
    stripe.faults.add(FaultKind.LOST, method="POST", path="/v1/payment_links")
    await keep_one_lost(world)
    created = next(one for one in stripe.objects("event") if one["type"] == "payment_link.created")
    await pay(stripe, stripe.links()[0]["id"])
    completed = next(one for one in stripe.objects("event") if one["type"] == "checkout.session.completed")
    for event in ({"link": created, "payment": completed}[about] for about in told):
        assert await world.watch.receive(event) is Receipt.KEPT
        await world.watching.settle_due()
        # What waits now is due again a second later, which may be before the next event is here.
        world.db.run(
            lambda session: session.execute(
                sa.update(StripeEvent).values(next_attempt_at=NOW + timedelta(days=36_500))
            )
        )
    assert opened(world) == []
    waiting = sa.select(StripeEvent.waits_for).where(StripeEvent.settled_at.is_(None))
    expected = [] if told == ("link", "payment") else ["link_reserved"]
    assert world.db.run(lambda session: session.scalars(waiting).all()) == expected
    world.db.run(lambda session: session.execute(sa.text("UPDATE links SET next_attempt_at = 0")))
    await world.creation.run_due()
    assert len(stripe.links()) == 1
    world.db.run(lambda session: session.execute(sa.text("UPDATE stripe_events SET next_attempt_at = 0")))
    await see(world)
    assert opened(world) == []
    assert said(world) == ["paid"]


async def keep_one_lost(world: World) -> None:
    await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)


async def test_an_invoice_whose_link_was_refused_gets_the_one_of_later_back(
    world: World, stripe: LocalStripe
) -> None:
    known = await keep_one(world, stripe)
    invoice_id = await linked(world)
    link = link_of(world, invoice_id)

    def refused(session: Any) -> None:
        row = session.get_one(Link, link.id)
        row.state, row.status, row.refusal = "refused", LinkStatus.NOT_CREATED, "no"
        row.stripe_id = row.url = row.created_at = None

    world.db.run(refused)
    await see(world)
    assert (known, shown(world, invoice_id).status) == (known, LinkStatus.PENDING_PAYMENT)
    assert link_of(world, invoice_id).stripe_id == link.stripe_id
