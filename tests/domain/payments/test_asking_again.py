"""What an event tells and Stripe doesn't show yet: asked for again, seconds later at first and ever more seldom."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.models import StripeEvent
from domain.money import Money
from domain.states import LinkStatus
from domain.stripe.errors import StripeRefused
from sandbox.stripe.server import LocalStripe
from tests.domain.broken import break_answers
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")
MILLISECOND = timedelta(milliseconds=1)


async def paid(world: World, stripe: LocalStripe, tell: str = "checkout.session.completed") -> dict[str, Any]:
    """Pay a new link and receive the event of it; the session."""
    await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    session = await stripe.open_session(stripe.links()[-1]["id"])
    session = await stripe.pay(session["id"])
    if tell == "charge.refunded":
        await stripe.refund(session["payment_intent"], amount=100)
    if tell == "charge.dispute.created":
        await stripe.dispute(session["payment_intent"])
    for event in stripe.objects("event"):
        if event["type"] in (tell, "checkout.session.completed"):
            await world.watch.receive(event)
    return session


class Until:
    """Answers to GETs below ``path`` are changed by ``broken`` until ``over``."""

    def __init__(
        self,
        world: World,
        monkeypatch: pytest.MonkeyPatch,
        path: str,
        broken: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> None:
        self.over = False

        def change(what: str, answer: dict[str, Any]) -> dict[str, Any]:
            about = what == f"get {path}" or what.startswith(f"get {path}/")
            return answer if self.over or not about else broken(answer)

        break_answers(world, monkeypatch, change)


def missing(answer: dict[str, Any]) -> dict[str, Any]:
    raise StripeRefused(f"No such object: {answer['id']}", "resource_missing")


def still_open(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"status": "open", "payment_status": "unpaid", "payment_intent": None}


def unreadable(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"amount_total": "much", "amount": "much", "amount_refunded": "much"}


def none_yet(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"data": []}


def unreadable_ones(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"data": [unreadable(one) for one in answer["data"]]}


def another(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"id": "cs_another"}


def waiting(world: World) -> list[tuple[str, int, datetime]]:
    rows = sa.select(StripeEvent.waits_for, StripeEvent.attempts, StripeEvent.next_attempt_at)
    rows = rows.where(StripeEvent.settled_at.is_(None))
    return world.db.run(
        lambda session: [(str(why), attempts, due) for why, attempts, due in session.execute(rows)]
    )


async def settle(world: World) -> None:
    world.db.run(lambda session: session.execute(sa.text("UPDATE stripe_events SET next_attempt_at = 0")))
    await world.watching.settle_due()


async def statuses(world: World) -> list[LinkStatus]:
    return [(await world.desk.get_invoice(ADA, 1)).status]


@pytest.mark.parametrize(
    ("broken", "because"),
    [(missing, "missing"), (still_open, "older"), (unreadable, "unreadable"), (another, "unreadable")],
)
async def test_a_payment_that_stripe_does_not_show_yet_is_asked_for_within_seconds(
    world: World,
    stripe: LocalStripe,
    monkeypatch: pytest.MonkeyPatch,
    broken: Callable[[dict[str, Any]], dict[str, Any]],
    because: str,
) -> None:
    until = Until(world, monkeypatch, "/v1/checkout/sessions", broken)
    await paid(world, stripe)
    await world.watching.settle_due()
    ((why, attempts, due),) = waiting(world)
    assert (why, attempts) == (because, 1)
    assert due - world.clock() < timedelta(seconds=2)
    assert await statuses(world) == [LinkStatus.PENDING_PAYMENT]

    until.over = True
    await settle(world)
    await world.announcing.deliver_due()
    assert await statuses(world) == [LinkStatus.PAID]
    assert len(world.poster.posted) == 1
    assert waiting(world) == []


@pytest.mark.parametrize(
    ("tell", "path", "broken", "because"),
    [
        ("charge.refunded", "/v1/refunds", none_yet, "older"),
        ("charge.refunded", "/v1/refunds", unreadable_ones, "unreadable"),
        ("charge.dispute.created", "/v1/disputes", missing, "missing"),
        ("charge.dispute.created", "/v1/disputes", unreadable, "unreadable"),
    ],
)
async def test_so_is_a_refund_or_a_dispute(
    world: World,
    stripe: LocalStripe,
    monkeypatch: pytest.MonkeyPatch,
    tell: str,
    path: str,
    broken: Callable[[dict[str, Any]], dict[str, Any]],
    because: str,
) -> None:
    until = Until(world, monkeypatch, path, broken)
    await paid(world, stripe, tell)
    await world.watching.settle_due()
    assert [why for why, _, _ in waiting(world)] == [because]

    until.over = True
    await settle(world)
    world.db.run(lambda session: session.execute(sa.text("UPDATE paces SET next_at = 0")))
    await world.announcing.deliver_due()
    world.db.run(lambda session: session.execute(sa.text("UPDATE paces SET next_at = 0")))
    await world.announcing.deliver_due()
    assert len(world.poster.posted) == 2
    assert waiting(world) == []


async def test_it_is_asked_for_ever_more_seldom_and_for_thirty_days(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    Until(world, monkeypatch, "/v1/checkout/sessions", missing)
    await paid(world, stripe)
    for asked in range(18):
        begun = world.clock()
        await settle(world)
        ((_, _, due),) = waiting(world)
        delay = min(timedelta(seconds=2**asked), timedelta(hours=6))
        # The database's clock has milliseconds.
        assert begun + delay - MILLISECOND <= due <= world.clock() + delay + MILLISECOND

    for days, left in ((29, 1), (2, 0)):
        stripe.advance(days * 86_400)
        await world.api.get_account()
        await settle(world)
        assert len(waiting(world)) == left


async def test_an_outage_before_it_makes_the_first_wait_no_longer(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    Until(world, monkeypatch, "/v1/checkout/sessions", missing)
    await paid(world, stripe)
    world.db.run(lambda session: session.execute(sa.text("UPDATE stripe_events SET attempts = 20")))
    await settle(world)
    outage = stripe.faults.outage()
    for _ in range(5):
        await settle(world)
    stripe.faults.remove(outage)
    await settle(world)
    ((_, attempts, due),) = waiting(world)
    assert attempts == 2
    assert due - world.clock() < timedelta(seconds=3)


@pytest.mark.parametrize("contradiction", [{"status": "expired"}, {"payment_link": "plink_other"}])
async def test_only_what_contradicts_it_for_good_ends_it(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch, contradiction: dict[str, Any]
) -> None:
    Until(world, monkeypatch, "/v1/checkout/sessions", lambda answer: still_open(answer) | contradiction)
    await paid(world, stripe)
    await world.watching.settle_due()
    assert waiting(world) == []
    assert await statuses(world) == [LinkStatus.PENDING_PAYMENT]


@pytest.mark.parametrize("tell", ["charge.refunded", "charge.dispute.created"])
async def test_what_became_of_a_payment_that_was_not_shown_for_long_is_asked_for_with_it(
    world: World, stripe: LocalStripe, tell: str
) -> None:
    late = stripe.late.missing("checkout.session", times=None, lists=True)
    await paid(world, stripe, tell)
    world.ahead += timedelta(minutes=11)
    stripe.advance(660)
    await world.watching.settle_due()
    assert [why for why, _, _ in waiting(world)] == ["missing"]

    stripe.late.rules.remove(late)
    await settle(world)
    assert len((await world.desk.get_invoice(ADA, 1)).badges) == 1
    asked = len(stripe.requests)
    await settle(world)
    assert len(stripe.requests) == asked
