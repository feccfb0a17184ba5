"""Of two payments for one link the first counts: its refunds and disputes are the badges, and the second is somebody's task."""

from typing import Any

import pytest

from domain.exceptions.facts import read_facts
from domain.states import Badge, ExceptionKind
from domain.summaries import ExceptionFacts
from sandbox.stripe.server import LocalStripe
from tests.domain.payments.test_reversing import (
    badges,
    exceptions,
    link,
    open_kinds,
    open_ones,
    see,
    shown,
    told,
)
from tests.domain.world import World

__all__ = ["link"]


@pytest.fixture
async def both(world: World, stripe: LocalStripe, link: str) -> tuple[str, str]:
    """Two payments that were seen, by their payment intents."""
    sessions = [await stripe.open_session(link) for _ in range(2)]
    intents = []
    for session in sessions:
        intents.append(str((await stripe.pay(session["id"]))["payment_intent"]))
        await see(world, stripe)
    world.poster.posted.clear()
    first, second = intents
    return first, second


async def second_payment(world: World) -> ExceptionFacts:
    (one,) = [each for each in await open_ones(world) if each.kind is ExceptionKind.SECOND_PAYMENT]
    return read_facts(one.facts)


async def test_where_the_first_is_refunded_its_badge_stays_and_nobody_is_told_to_refund_the_second(
    world: World, stripe: LocalStripe, both: tuple[str, str]
) -> None:
    assert not (await second_payment(world)).alone
    refund = await stripe.refund(both[0])
    await see(world, stripe)
    assert await badges(world) == (Badge.REFUNDED,)
    assert set(await open_kinds(world)) == {ExceptionKind.SECOND_PAYMENT, ExceptionKind.REFUNDED}
    assert (await second_payment(world)).alone
    (refunded,) = exceptions(world)
    assert str(refunded.facts.besides) == "USD 10.00"

    await stripe.change_refund(refund["id"], status="failed")
    await see(world, stripe)
    assert await badges(world) == ()
    assert not (await second_payment(world)).alone


async def test_where_both_are_refunded_only_the_first_is_still_somebodys_task(
    world: World, stripe: LocalStripe, both: tuple[str, str]
) -> None:
    for intent in both:
        await stripe.refund(intent)
        await see(world, stripe)
    assert (await badges(world), await open_kinds(world)) == ((Badge.REFUNDED,), [ExceptionKind.REFUNDED])
    invoice = await shown(world)
    assert invoice.link is not None
    assert not invoice.link.exception


@pytest.mark.parametrize("act", ["refund", "dispute"])
async def test_a_second_payment_that_comes_after_the_first_has_gone_back_is_known_to_be_alone(
    world: World, stripe: LocalStripe, link: str, act: str
) -> None:
    first, second = await stripe.open_session(link), await stripe.open_session(link)
    intent = str((await stripe.pay(first["id"]))["payment_intent"])
    await see(world, stripe)
    lost: dict[str, Any] = {} if act == "refund" else {"status": "lost"}
    await getattr(stripe, act)(intent, **lost)
    await see(world, stripe)
    told(world)
    await stripe.pay(second["id"])
    await see(world, stripe)
    assert told(world) == [ExceptionKind.SECOND_PAYMENT]
    assert (await second_payment(world)).alone
