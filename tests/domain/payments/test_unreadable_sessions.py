"""One object of Stripe's that can't be right is left out with a line in the log, and keeps none of the others from being
recorded."""

from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from domain.models import PaymentException, StripeEvent
from domain.money import Money
from domain.payments.recording import read_session
from domain.states import LinkStatus
from sandbox.stripe.server import LocalStripe
from tests.domain.broken import break_answers
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")
SESSION: dict[str, Any] = {"id": "cs_1", "amount_total": 5, "currency": "usd", "created": 1_790_000_000}
ABSURD: list[dict[str, Any]] = [
    {"amount_total": 10**30},
    {"amount_total": -(2**63)},
    {"amount_total": "1000"},
    {"amount_total": 1e300},
    {"amount_total": True},
    {"currency": "x" * 50},
    {"currency": ["usd"]},
    {"created": 10**20},
    {"created": None},
    {"id": "cs_\0"},
    {"id": None},
]


@pytest.mark.parametrize("absurd", ABSURD)
def test_a_session_that_cannot_be_recorded_is_refused_as_it_is_read(absurd: dict[str, Any]) -> None:
    assert read_session(SESSION).amount == 5
    with pytest.raises((ValueError, OverflowError)):
        read_session(SESSION | absurd)


@pytest.mark.parametrize("metadata", [None, [], "x", {"paylink_reference": ["x"]}])
def test_metadata_of_any_shape_is_read(metadata: object) -> None:
    assert read_session(SESSION | {"metadata": metadata}).reference is None


def test_a_payment_intent_that_is_none_costs_the_payment_nothing() -> None:
    assert read_session(SESSION | {"payment_intent": "p" * 300}).payment_intent is None


async def paid(world: World, stripe: LocalStripe, number: str) -> str:
    """The id of a session in which the invoice's link was paid."""
    await world.desk.create_link(ADA, make_invoice(world.db, number), SEEN, patience=PATIENCE)
    session = await stripe.open_session(stripe.links()[-1]["id"])
    return str((await stripe.pay(session["id"]))["id"])


async def status(world: World, number: str) -> LinkStatus:
    found = await world.desk.find_invoice(ADA, number)
    assert found is not None
    return found.status


def swap(absurd: dict[str, Any], of: str) -> Any:
    """Change the session ``of`` this id in every answer; put things that are no objects beside it in lists."""

    def broken(what: str, answer: dict[str, Any]) -> dict[str, Any]:
        if answer.get("object") == "list":
            return answer | {"data": [None, 7, {"id": None}, *(change(one) for one in answer["data"])]}
        return change(answer)

    def change(one: dict[str, Any]) -> dict[str, Any]:
        return one | absurd if one["id"] == of else one

    return broken


@pytest.mark.parametrize("absurd", [{"amount_total": 10**30}, {"currency": "x" * 50}, {"created": 10**20}])
async def test_sweep_and_events_record_the_others(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch, absurd: dict[str, Any]
) -> None:
    for number in ("INV-1", "INV-2", "INV-3"):
        session_id = await paid(world, stripe, number)
        if number == "INV-2":
            break_answers(world, monkeypatch, swap(absurd, session_id))
    with capture_logs() as logs:
        assert await world.watch.sweep_if_due(at_start=True)
        await world.see()
    assert [await status(world, f"INV-{n}") for n in (1, 2, 3)] == [
        LinkStatus.PAID,
        LinkStatus.PENDING_PAYMENT,
        LinkStatus.PAID,
    ]
    assert "stripe.session_unreadable" in [line["event"] for line in logs]
    waiting = sa.select(StripeEvent.waits_for).where(StripeEvent.settled_at.is_(None))
    assert world.db.run(lambda session: session.scalars(waiting).all()) == ["unreadable"]


async def test_a_refund_of_an_absurd_amount_is_left_out_and_the_next_is_told(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("INV-1", "INV-2"):
        await paid(world, stripe, number)
    await world.see()
    for intent in stripe.objects("payment_intent"):
        await stripe.refund(intent["id"], amount=100)
    refund = stripe.objects("refund")[0]["id"]
    break_answers(world, monkeypatch, swap({"amount": 10**30}, refund))
    await world.watching.poll_if_due()
    await world.watching.settle_due()
    assert await world.watch.sweep_if_due(at_start=True)
    amounts = sa.select(PaymentException.amount)
    assert world.db.run(lambda session: session.scalars(amounts).all()) == [100]
