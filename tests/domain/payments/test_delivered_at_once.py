"""What comes to one organisation's webhook at once: few transactions, and each event's own answer."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.errors import DatabaseUnavailable
from domain.models import StripeEvent
from domain.money import Money
from domain.payments import events
from domain.payments.event_reading import Received
from domain.payments.events import Receipt
from sandbox.stripe.server import LocalStripe
from tests.databases import on_sqlite
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

pytestmark = on_sqlite

TIMES = 250


@pytest.fixture
def kept_together(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events each transaction was given."""
    sizes: list[int] = []
    keep = events.keep_delivered

    def counted(session: Session, ledger_id: int, came: list[Received]) -> list[Receipt]:
        sizes.append(len(came))
        if any(event.id == "evt_broken" for event in came):
            raise ValueError("broken")
        return keep(session, ledger_id, came)

    monkeypatch.setattr(events, "keep_delivered", counted)
    return sizes


async def paid(world: World, stripe: LocalStripe) -> dict[str, Any]:
    await world.desk.create_link(
        ADA, make_invoice(world.db, "INV-1"), Money(120_050, "USD"), patience=PATIENCE
    )
    (link,) = stripe.objects("payment_link")
    await stripe.pay((await stripe.open_session(link["id"]))["id"])
    (event,) = [one for one in stripe.objects("event") if one["type"] == "checkout.session.completed"]
    return event


async def test_thousands_at_once_take_few_transactions_and_are_settled_in_their_order(
    world: World, stripe: LocalStripe, kept_together: list[int]
) -> None:
    event = await paid(world, stripe)
    came = [event | {"id": f"evt_{n}"} for n in range(TIMES)]
    nobodys: dict[str, Any] = {"payment_link": "plink_nobodys", "client_reference_id": None, "metadata": {}}
    about = event["data"]["object"] | nobodys
    foreign = event | {"id": "evt_foreign", "data": event["data"] | {"object": about}}
    receipts = await asyncio.gather(*map(world.watch.receive, [*came, foreign, came[0]]))
    assert receipts == [*[Receipt.KEPT] * TIMES, Receipt.NOT_OURS, Receipt.KNOWN]
    assert len(kept_together) <= 1 + -(-TIMES // 100)
    assert await world.watch.receive(came[7]) is Receipt.KNOWN
    by_turn = sa.select(StripeEvent.id).order_by(StripeEvent.next_attempt_at).limit(5)
    first = world.db.run(lambda session: session.scalars(by_turn).all())
    assert first == [f"evt_{n}" for n in range(5)]


async def test_one_that_cant_be_kept_or_whose_sender_hung_up_costs_the_others_nothing(
    world: World, stripe: LocalStripe, kept_together: list[int]
) -> None:
    event = await paid(world, stripe)
    names = ["evt_1", "evt_broken", "evt_2", "evt_3"]
    told = [asyncio.create_task(world.watch.receive(event | {"id": name})) for name in names]
    await asyncio.sleep(0)
    told[2].cancel()
    outcomes = await asyncio.gather(*told, return_exceptions=True)
    assert [outcomes[0], outcomes[3]] == [Receipt.KEPT] * 2
    assert isinstance(outcomes[1], ValueError)
    kept = world.db.run(lambda session: session.scalars(sa.select(StripeEvent.id)).all())
    assert set(kept) >= {"evt_1", "evt_2", "evt_3"}


async def test_without_the_database_each_sender_is_told(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = await paid(world, stripe)

    def away(*_: object) -> list[Receipt]:
        raise DatabaseUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(events, "keep_delivered", away)
        told = [world.watch.receive(event | {"id": f"evt_{n}"}) for n in range(3)]
        outcomes = await asyncio.gather(*told, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [DatabaseUnavailable] * 3
    assert await world.watch.receive(event) is Receipt.KEPT


async def test_nobody_waits_for_what_was_ended_in_the_middle(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = await paid(world, stripe)
    begun = asyncio.Event()

    async def never(*_: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(world.db, "write", never)
    senders = [asyncio.create_task(world.watch.receive(event | {"id": "evt_0"}))]
    await begun.wait()
    # This one isn't being kept yet.
    senders.append(asyncio.create_task(world.watch.receive(event | {"id": "evt_1"})))
    await asyncio.sleep(0)
    keeping = world.watch._receiving._keeping
    assert keeping is not None
    keeping.cancel()
    answers = await asyncio.gather(*senders, return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError] * 2
