"""A refund or dispute that Stripe shows as it was before its event: asked for until it is what the event says."""

import pytest
import sqlalchemy as sa

from domain.models import StripeEvent
from domain.money import Money
from domain.payments.reversals.reversals import ReversalKind, is_before
from domain.states import Badge, ExceptionKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.payments.test_thin_events import thin_of
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(1_000, "USD")
REFUND, DISPUTE = ReversalKind.REFUND, ReversalKind.DISPUTE


@pytest.fixture
async def paid(world: World, stripe: LocalStripe) -> str:
    """A payment that was seen, by its payment intent."""
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-1", amount=1_000), SEEN, patience=PATIENCE)
    session = await stripe.open_session(str(stripe.links()[0]["id"]))
    intent = str((await stripe.pay(session["id"]))["payment_intent"])
    await see(world, stripe)
    return intent


async def see(world: World, stripe: LocalStripe, *, rounds: int = 1, as_thin: bool = False) -> None:
    """Receive every event there is and ask so often about what it tells."""
    for event in stripe.objects("event"):
        await world.watch.receive(thin_of(event) if as_thin else event)
    for _ in range(rounds):
        world.db.run(lambda session: session.execute(sa.text("UPDATE stripe_events SET next_attempt_at = 0")))
        await world.watching.settle_due()


def waiting(world: World) -> set[str | None]:
    unsettled = sa.select(StripeEvent.waits_for).where(StripeEvent.settled_at.is_(None))
    return world.db.run(lambda session: set(session.scalars(unsettled)))


async def badges(world: World) -> tuple[Badge, ...]:
    found = await world.desk.find_invoice(ADA, "INV-1")
    assert found is not None
    return found.badges


@pytest.mark.parametrize(
    ("first", "then", "shows"),
    [
        ("pending", "succeeded", (Badge.REFUNDED,)),
        ("succeeded", "canceled", ()),
        ("succeeded", "failed", ()),
    ],
)
async def test_a_refund_that_has_moved_on_is_asked_for_until_it_shows(
    world: World, stripe: LocalStripe, paid: str, first: str, then: str, shows: tuple[Badge, ...]
) -> None:
    refund = await stripe.refund(paid, status=first)
    await see(world, stripe)
    stripe.late.stale("refund", times=20, lists=True)
    await stripe.change_refund(refund["id"], status=then)
    await see(world, stripe, rounds=6)
    assert waiting(world) == {"older"}

    stripe.late.clear()
    await see(world, stripe)
    assert (await badges(world), waiting(world)) == (shows, set())


@pytest.mark.parametrize(
    ("first", "then", "shows"),
    [
        ("warning_needs_response", "needs_response", (Badge.DISPUTED,)),
        ("warning_needs_response", "prevented", ()),
        ("needs_response", "prevented", ()),
        ("needs_response", "won", ()),
    ],
)
async def test_so_is_a_dispute(
    world: World, stripe: LocalStripe, paid: str, first: str, then: str, shows: tuple[Badge, ...]
) -> None:
    dispute = await stripe.dispute(paid, status=first)
    await see(world, stripe)
    before = await badges(world)
    stripe.late.stale("dispute", times=20)
    await stripe.change_dispute(dispute["id"], status=then)
    await see(world, stripe, rounds=6)
    assert (await badges(world), waiting(world)) == (before, {"older"})

    stripe.late.clear()
    await see(world, stripe)
    assert (await badges(world), waiting(world)) == (shows, set())


async def test_an_answer_from_before_its_event_never_becomes_sure(
    world: World, stripe: LocalStripe, paid: str
) -> None:
    dispute = await stripe.dispute(paid)
    await see(world, stripe)
    stripe.late.stale("dispute", times=20)
    await stripe.change_dispute(dispute["id"], status="won")
    rule = stripe.late.rules.pop()
    assert await world.watch.sweep_if_due(at_start=True)
    assert await badges(world) == ()

    stripe.late.rules.append(rule)
    await see(world, stripe, rounds=6)
    assert await badges(world) == ()


@pytest.mark.parametrize("then", ["canceled", "succeeded"])
async def test_an_update_that_says_no_more_than_that_there_is_one_is_looked_at_again(
    world: World, stripe: LocalStripe, paid: str, then: str
) -> None:
    refund = await stripe.refund(paid, status="requires_action")
    await see(world, stripe, as_thin=True)
    stripe.late.stale("refund", times=3, lists=True)
    await stripe.change_refund(refund["id"], status=then)
    await see(world, stripe, rounds=5, as_thin=True)
    exceptions = await world.desk.list_exceptions(ADA)
    kind = ExceptionKind.REFUNDED if then == "succeeded" else ExceptionKind.REFUND_FAILED
    assert [one.kind for one in exceptions.exceptions] == [kind]


@pytest.mark.parametrize("by", ["event", "recheck"])
async def test_one_that_is_shown_as_it_was_holds_up_none_that_came_after_it(
    world: World, stripe: LocalStripe, paid: str, by: str
) -> None:
    first = await stripe.refund(paid, amount=200)
    await see(world, stripe)
    stripe.late.stale(first["id"], times=None, lists=True)
    await stripe.change_refund(first["id"], status="failed")
    rule = stripe.late.rules.pop()
    await see(world, stripe)
    stripe.late.rules.append(rule)
    stripe.advance(5)
    await stripe.refund(paid, amount=300)
    await (see(world, stripe) if by == "event" else world.desk.recheck(ADA, 1))
    assert await badges(world) == (Badge.PARTLY_REFUNDED,)


async def test_one_that_tells_of_nothing_new_costs_one_request(
    world: World, stripe: LocalStripe, paid: str
) -> None:
    refund = await stripe.refund(paid)
    await see(world, stripe)
    asked = len(stripe.requests)
    await stripe.change_refund(refund["id"], reference="0123456789")
    await see(world, stripe, rounds=3)
    # charge.refund.updated and refund.updated.
    assert len(stripe.requests) - asked == 2
    assert waiting(world) == set()


@pytest.mark.parametrize(
    ("kind", "shown", "told", "before"),
    [
        (REFUND, "pending", "succeeded", True),
        (REFUND, "succeeded", "pending", False),
        (REFUND, "pending", "requires_action", None),
        (REFUND, "succeeded", "a_status_to_come", False),
        (DISPUTE, "needs_response", "won", True),
        (DISPUTE, "lost", "won", None),
        (DISPUTE, "won", "won", False),
        (DISPUTE, "a_status_to_come", "needs_response", False),
    ],
)
def test_what_is_shown_may_be_from_before_what_was_told(
    kind: ReversalKind, shown: str, told: str, before: bool | None
) -> None:
    assert is_before(kind, shown, told) is before
