"""Disputes and inquiries to their end: badges, tasks and messages follow what Stripe says."""

from typing import Any

import pytest

from domain.exceptions.resolving import resolve
from domain.payments.event_reading import Received
from domain.payments.waits import Wait
from domain.states import AnnouncementKind, Badge, ExceptionKind
from sandbox.stripe.server import LocalStripe
from tests.domain.payments.test_reversing import (
    badges,
    exceptions,
    link,
    open_kinds,
    open_ones,
    paid,
    see,
    told,
)
from tests.domain.world import ADA, World

__all__ = ["link", "paid"]


@pytest.mark.parametrize("seen_first", ["needs_response", "lost"])
async def test_a_loss_that_is_appealed_is_open_until_the_appeal_has_ended(
    world: World, stripe: LocalStripe, paid: str, seen_first: str
) -> None:
    dispute = await stripe.dispute(paid, status=seen_first)
    await see(world, stripe)
    if seen_first != "lost":
        await stripe.change_dispute(dispute["id"], status="lost")
        await see(world, stripe)
    assert told(world)[-1] is ExceptionKind.DISPUTE_LOST
    for status in ("appeal_needs_response", "appeal_under_review"):
        await stripe.change_dispute(dispute["id"], status=status)
        await see(world, stripe)
        assert await badges(world) == (Badge.DISPUTED,)
        assert (await open_kinds(world), told(world)) == ([ExceptionKind.DISPUTE_LOST], [])
    await stripe.change_dispute(dispute["id"], status="won")
    await see(world, stripe)
    assert (await badges(world), await open_kinds(world)) == ((), [])
    ends = [one.exception.kind for one in world.poster.posted if one.exception and one.broadcast]
    assert ends == [ExceptionKind.DISPUTE_LOST]


@pytest.mark.parametrize("resolved", [False, True])
async def test_an_appeal_that_is_lost_leaves_the_loss_and_is_told_where_that_was_resolved(
    world: World, stripe: LocalStripe, paid: str, resolved: bool
) -> None:
    dispute = await stripe.dispute(paid, status="lost")
    await see(world, stripe)
    (loss,) = await open_ones(world)
    if resolved:
        world.db.run(resolve, None, loss.id, "Booked", by="U0ADA", now=world.clock())
        await see(world, stripe)
    world.poster.posted.clear()
    for status in ("appeal_needs_response", "lost"):
        await stripe.change_dispute(dispute["id"], status=status)
        await see(world, stripe)
    assert await badges(world) == (Badge.DISPUTE_LOST,)
    assert await open_kinds(world) == ([] if resolved else [ExceptionKind.DISPUTE_LOST])
    ended = [one.exception.facts.ended for one in world.poster.posted if one.exception]
    assert ended == (["appeal_lost"] if resolved else [])


async def test_a_dispute_that_is_won_takes_its_badge_away_and_settles_itself(
    world: World, stripe: LocalStripe, paid: str
) -> None:
    dispute = await stripe.dispute(paid, reason="fraudulent")
    await see(world, stripe)
    assert (await badges(world), await open_kinds(world)) == ((Badge.DISPUTED,), [ExceptionKind.DISPUTED])
    (first,) = exceptions(world)
    assert first.due_by is not None
    assert first.facts.reason == "fraudulent"
    told(world)
    await stripe.submit_evidence(dispute["id"])
    await see(world, stripe)
    assert (await badges(world), told(world)) == ((Badge.DISPUTED,), [])
    await stripe.change_dispute(dispute["id"], status="won")
    await see(world, stripe)
    await see(world, stripe)
    assert (await badges(world), await open_kinds(world)) == ((), [])
    (ended,) = world.poster.posted
    assert (ended.kind, ended.broadcast) == (AnnouncementKind.FOLLOW_UP, True)


async def test_how_a_dispute_ended_is_told_though_somebody_had_dealt_with_it(
    world: World, stripe: LocalStripe, paid: str
) -> None:
    dispute = await stripe.dispute(paid)
    await see(world, stripe)
    (one,) = await open_ones(world)
    world.db.run(
        resolve, world.organisation_id, one.id, "The goods came back", by=ADA.user_id, now=world.clock()
    )
    await see(world, stripe)
    told(world)
    await stripe.change_dispute(dispute["id"], status="won")
    await see(world, stripe)
    (ended,) = world.poster.posted
    assert (ended.kind, ended.broadcast) == (AnnouncementKind.FOLLOW_UP, True)


async def test_an_inquiry_is_no_dispute_and_is_closed(world: World, stripe: LocalStripe, paid: str) -> None:
    dispute = await stripe.dispute(paid, status="warning_needs_response")
    await see(world, stripe)
    assert await badges(world) == (Badge.INQUIRY,)
    (first,) = exceptions(world)
    assert first.facts.inquiry
    await stripe.change_dispute(dispute["id"], status="warning_closed")
    await see(world, stripe)
    assert (await badges(world), await open_kinds(world)) == ((), [])


async def test_an_inquiry_may_become_a_dispute(world: World, stripe: LocalStripe, paid: str) -> None:
    dispute = await stripe.dispute(paid, status="warning_needs_response")
    await see(world, stripe)
    await stripe.change_dispute(dispute["id"], status="needs_response")
    await see(world, stripe)
    assert (await badges(world), await open_kinds(world)) == ((Badge.DISPUTED,), [ExceptionKind.DISPUTED])
    assert [one.facts.inquiry for one in exceptions(world)] == [True, False]


@pytest.mark.parametrize("seen_before", [True, False])
async def test_a_dispute_that_is_lost_asks_for_no_answer(
    world: World, stripe: LocalStripe, paid: str, seen_before: bool
) -> None:
    dispute = await stripe.dispute(paid, status="needs_response" if seen_before else "lost")
    await see(world, stripe)
    if seen_before:
        await stripe.change_dispute(dispute["id"], status="lost")
        await see(world, stripe)
    assert (await badges(world), await open_kinds(world)) == (
        (Badge.DISPUTE_LOST,),
        [ExceptionKind.DISPUTE_LOST],
    )
    last = exceptions(world)[-1]
    assert last.due_by is None


async def test_a_lost_dispute_may_be_won_after_all(world: World, stripe: LocalStripe, paid: str) -> None:
    dispute = await stripe.dispute(paid)
    await see(world, stripe)
    await stripe.change_dispute(dispute["id"], status="lost")
    await see(world, stripe)
    await stripe.change_dispute(dispute["id"], status="won")
    await see(world, stripe)
    assert (await badges(world), await open_kinds(world)) == ((), [])


@pytest.mark.parametrize("resolved", [False, True])
async def test_each_loss_after_a_win_is_told_in_the_channel_and_is_a_task_and_so_is_each_end(
    world: World, stripe: LocalStripe, paid: str, resolved: bool
) -> None:
    dispute = await stripe.dispute(paid, status="lost")
    await see(world, stripe)
    first = world.poster.posted[0]
    assert first.thread is None
    for turn in range(3):
        assert (await badges(world), await open_kinds(world)) == (
            (Badge.DISPUTE_LOST,),
            [ExceptionKind.DISPUTE_LOST],
        )
        if resolved:
            (loss,) = await open_ones(world)
            world.db.run(resolve, None, loss.id, "Booked", by="U0ADA", now=world.clock())
            await see(world, stripe)
        if turn == 2:
            break
        world.poster.posted.clear()
        await stripe.change_dispute(dispute["id"], status="won")
        await see(world, stripe)
        assert (await badges(world), await open_kinds(world)) == ((), [])
        await stripe.change_dispute(dispute["id"], status="lost")
        await see(world, stripe)
        won, lost = world.poster.posted
        assert (won.kind, lost.kind) == (AnnouncementKind.FOLLOW_UP, AnnouncementKind.EXCEPTION)
        # Slack takes no reply to a reply: all of them stand in the thread of the first.
        assert {(one.thread, one.broadcast) for one in (won, lost)} == {("2.0", True)}


@pytest.mark.parametrize(
    ("intent", "outcome"), [({"payment_intent": None}, ()), ({}, Wait.UNREADABLE)], ids=["none", "unsaid"]
)
async def test_a_dispute_of_no_payment_intent_isnt_ours_unless_that_isnt_said(
    world: World, stripe: LocalStripe, paid: str, intent: dict[str, None], outcome: object
) -> None:
    found = {"id": "dp_other", "status": "needs_response", **intent}
    event = Received("evt_other", "charge.dispute.created", "dp_other", None, world.clock())

    async def answer(*_: Any, **__: Any) -> dict[str, Any]:
        return found

    world.api.get_dispute = answer  # type: ignore[method-assign]
    assert await world.watch._reconciler.reconcile_event(event, world.clock()) == outcome


async def pay_twice(world: World, stripe: LocalStripe, link: str) -> str:
    """The second payment, which is one too much."""
    first, second = await stripe.open_session(link), await stripe.open_session(link)
    await stripe.pay(first["id"])
    await see(world, stripe)
    surplus = await stripe.pay(second["id"])
    await see(world, stripe)
    return str(surplus["payment_intent"])


async def test_a_surplus_payment_that_a_dispute_takes_settles_itself_until_an_appeal_brings_it_back(
    world: World, stripe: LocalStripe, link: str
) -> None:
    surplus = await pay_twice(world, stripe, link)
    dispute = await stripe.dispute(surplus)
    for _ in range(2):
        await see(world, stripe)
        assert ExceptionKind.SECOND_PAYMENT in await open_kinds(world)
        told(world)
        await stripe.change_dispute(dispute["id"], status="lost")
        await see(world, stripe)
        assert (await badges(world), await open_kinds(world)) == ((), [ExceptionKind.DISPUTE_LOST])
        await stripe.change_dispute(dispute["id"], status="won")
        await see(world, stripe)
        assert await open_kinds(world) == [ExceptionKind.SECOND_PAYMENT]
        assert told(world).count(ExceptionKind.SECOND_PAYMENT) == 1


async def test_a_surplus_payment_of_which_a_part_is_lost_is_still_to_be_dealt_with(
    world: World, stripe: LocalStripe, link: str
) -> None:
    surplus = await pay_twice(world, stripe, link)
    await stripe.dispute(surplus, amount=400, status="lost")
    await see(world, stripe)
    assert set(await open_kinds(world)) == {ExceptionKind.SECOND_PAYMENT, ExceptionKind.DISPUTE_LOST}
