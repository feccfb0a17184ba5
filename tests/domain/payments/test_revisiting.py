"""Refunds and disputes that moved on while nobody listened: asked about again, since Stripe forgets its events."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Link, PaymentException, Reversal
from domain.money import Money
from domain.states import Badge, ExceptionKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.payments.test_reversing import badges, exceptions, open_kinds, see
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

DAY = 86_400


@pytest.fixture
async def paid(world: World, stripe: LocalStripe) -> str:
    """A payment that was seen, by its payment intent."""
    await world.desk.create_link(
        ADA, make_invoice(world.db, "INV-1", amount=1_000), Money(1_000, "USD"), patience=PATIENCE
    )
    session = await stripe.open_session(str(stripe.links()[0]["id"]))
    intent = str((await stripe.pay(session["id"]))["payment_intent"])
    await see(world, stripe)
    world.poster.posted.clear()
    return intent


async def come_back(world: World, stripe: LocalStripe, days: float) -> list[str]:
    """Start so many days later, when Stripe has forgotten the events of before; the paths that Stripe was asked for."""
    stripe.advance(days * DAY)
    world.ahead += timedelta(days=days)
    asked = len(stripe.requests)
    await world.watch.sweep_if_due(at_start=True)
    # A day later in the world is the same minute for the database.
    world.db.run(lambda session: session.execute(sa.text("UPDATE duties SET started_at = 0")))
    world.db.run(lambda session: session.execute(sa.text("UPDATE paces SET next_at = 0")))
    for _ in range(3):
        await world.announcing.deliver_due()
        world.db.run(lambda session: session.execute(sa.text("UPDATE paces SET next_at = 0")))
    return [one.path for one in stripe.requests[asked:]]


@pytest.mark.parametrize(
    ("before", "after", "shown", "told"),
    [
        ("pending", "failed", (), [ExceptionKind.REFUND_FAILED]),
        ("pending", "succeeded", (Badge.REFUNDED,), [ExceptionKind.REFUNDED]),
        ("succeeded", "failed", (), [ExceptionKind.REFUND_FAILED]),
    ],
)
async def test_a_refund_that_moved_on_while_nobody_listened_is_noticed(
    world: World,
    stripe: LocalStripe,
    paid: str,
    before: str,
    after: str,
    shown: tuple[Badge, ...],
    told: list[ExceptionKind],
) -> None:
    refund = await stripe.refund(paid, status=before)
    await see(world, stripe)
    await come_back(world, stripe, 2)
    world.poster.posted.clear()
    await stripe.change_refund(refund["id"], status=after)
    asked = await come_back(world, stripe, 50)
    assert await badges(world) == shown
    assert [one.kind for one in exceptions(world)] == told
    assert asked.count(f"/v1/refunds/{refund['id']}") == 1


@pytest.mark.parametrize(
    ("after", "shown", "told"),
    [("won", (), []), ("lost", (Badge.DISPUTE_LOST,), [ExceptionKind.DISPUTE_LOST])],
)
async def test_so_is_a_dispute(
    world: World,
    stripe: LocalStripe,
    paid: str,
    after: str,
    shown: tuple[Badge, ...],
    told: list[ExceptionKind],
) -> None:
    dispute = await stripe.dispute(paid)
    await see(world, stripe)
    await come_back(world, stripe, 2)
    assert await badges(world) == (Badge.DISPUTED,)
    await stripe.change_dispute(dispute["id"], status=after)
    await come_back(world, stripe, 40)
    assert (await badges(world), await open_kinds(world)) == (shown, told)


async def test_one_that_is_open_costs_a_request_a_day_and_an_end_none(
    world: World, stripe: LocalStripe, paid: str
) -> None:
    dispute = await stripe.dispute(paid)
    await see(world, stripe)
    path = f"/v1/disputes/{dispute['id']}"
    await come_back(world, stripe, 2)
    assert (await come_back(world, stripe, 0.5)).count(path) == 0
    assert (await come_back(world, stripe, 0.6)).count(path) == 1
    assert (await come_back(world, stripe, 0.1)).count(path) == 0
    await stripe.change_dispute(dispute["id"], status="won")
    assert (await come_back(world, stripe, 1.1)).count(path) == 1
    assert (await come_back(world, stripe, 200)).count(path) == 0


async def test_a_refund_that_succeeded_is_asked_about_once_more_when_it_can_fail_no_longer(
    world: World, stripe: LocalStripe, paid: str
) -> None:
    refund = await stripe.refund(paid)
    await see(world, stripe)
    path = f"/v1/refunds/{refund['id']}"
    counted = [(await come_back(world, stripe, days)).count(path) for days in (2, 30, 15, 2, 60)]
    assert counted == [0, 0, 1, 0, 0]


async def test_what_stripe_does_not_know_is_left_for_a_day(
    world: World, stripe: LocalStripe, paid: str
) -> None:
    await stripe.dispute(paid)
    await see(world, stripe)
    world.db.run(lambda session: session.execute(sa.update(Reversal).values(stripe_id="du_gone")))
    assert "/v1/disputes/du_gone" in await come_back(world, stripe, 2)
    assert "/v1/disputes/du_gone" not in await come_back(world, stripe, 0.5)


def flag(world: World, **flags: bool) -> None:
    """As a version before 0004 leaves a link: a flag, and neither badges nor what they come from."""

    def write(session: Session) -> None:
        for exception in session.scalars(sa.select(PaymentException)):
            exception.key = f"{exception.kind.value}:{exception.stripe_object}"
            exception.reversal_id = exception.organisation_id = exception.invoice_id = None
        session.flush()
        session.execute(sa.delete(Reversal))
        session.execute(sa.update(Link).values(badges="", refunded=False, disputed=False))
        session.execute(sa.update(Link).values(**flags))

    world.db.run(write)


@pytest.mark.parametrize("after", ["won", "lost", "needs_response"])
async def test_a_flag_of_the_version_before_gives_way_to_what_stripe_says(
    world: World, stripe: LocalStripe, paid: str, after: str
) -> None:
    dispute = await stripe.dispute(paid)
    await see(world, stripe)
    await come_back(world, stripe, 2)
    world.poster.posted.clear()
    flag(world, disputed=True)
    if after != "needs_response":
        await stripe.change_dispute(dispute["id"], status=after)
    assert await badges(world) == (Badge.DISPUTED,)
    asked = await come_back(world, stripe, 40)
    wanted = {"won": (), "lost": (Badge.DISPUTE_LOST,), "needs_response": (Badge.DISPUTED,)}
    assert await badges(world) == wanted[after]
    # Two lists for the sweep, and two for the link.
    assert (asked.count("/v1/disputes"), asked.count("/v1/refunds")) == (2, 2)
    again = await come_back(world, stripe, 40)
    assert (again.count("/v1/disputes"), again.count("/v1/refunds")) == (1, 1)


async def test_so_does_one_of_a_refund_of_which_nothing_is_left(
    world: World, stripe: LocalStripe, paid: str
) -> None:
    await come_back(world, stripe, 2)
    flag(world, refunded=True)
    assert await badges(world) == (Badge.REFUNDED,)
    await come_back(world, stripe, 40)
    assert await badges(world) == ()


async def test_what_stripe_will_not_tell_leaves_the_flag_and_is_not_asked_again(
    world: World, stripe: LocalStripe, paid: str
) -> None:
    flag(world, refunded=True)
    stripe.faults.add("coded", path="/v1/disputes", status=400, code="parameter_unknown", skip=1, times=1)
    await come_back(world, stripe, 40)
    assert await badges(world) == (Badge.REFUNDED,)
    asked = await come_back(world, stripe, 40)
    assert asked.count("/v1/refunds") == 1
    assert world.db.run(lambda session: session.scalars(sa.select(PaymentException)).all()) == []
