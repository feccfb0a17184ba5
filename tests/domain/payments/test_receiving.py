"""What a webhook tells is claimed by the transaction that keeps it, and goes its way without another wait for the disk."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.models import StripeEvent
from domain.money import Money
from domain.payments import events
from domain.payments.event_reading import read_event
from domain.payments.events import Receipt
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the transactions that write."""
    told: list[str] = []
    submit = Database._submit

    async def noting(
        self: Database, lane: Any, write: bool, fn: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        if write:
            told.append(fn.__name__)
        return await submit(self, lane, write, fn, *args, **kwargs)

    monkeypatch.setattr(Database, "_submit", noting)
    return told


async def pay(world: World, stripe: LocalStripe, number: str) -> dict[str, Any]:
    """The event of a new link's payment."""
    made = await world.desk.create_link(ADA, make_invoice(world.db, number), SEEN, patience=PATIENCE)
    assert made.link is not None
    session = await stripe.open_session(made.link.url)
    await stripe.pay(session["id"])
    told = [one for one in stripe.objects("event") if one["type"] == "checkout.session.completed"]
    return next(one for one in told if one["data"]["object"]["id"] == session["id"])


async def test_between_a_payment_and_its_message_are_three_transactions(
    world: World, stripe: LocalStripe, writes: list[str]
) -> None:
    event = await pay(world, stripe, "INV-1")
    writes.clear()
    assert await world.watch.receive(event) is Receipt.KEPT
    claims = len(writes)
    await world.watching.settle_due()
    await world.announcing.deliver_due()
    assert len(world.poster.posted) == 1
    # Once for each process what waited for a permission is released besides.
    writes.remove("release")
    assert (claims, writes) == (1, ["_keep_and_claim", "_record_session", "_claim", "record_posted"])
    settled = world.db.run(lambda session: session.scalars(sa.select(StripeEvent.settled_at)).all())
    assert len(settled) == 1
    assert None not in settled


async def test_what_was_kept_before_is_claimed_with_what_is_received_and_goes_first(
    world: World, stripe: LocalStripe
) -> None:
    first, second = await pay(world, stripe, "INV-1"), await pay(world, stripe, "INV-2")
    read = read_event(first, livemode=False)
    assert read is not None
    world.db.run(events.keep, world.watch.account.ledger_id, [read])
    assert await world.watch.receive(second) is Receipt.KEPT
    claimed = world.watch._receiving.take_claimed()
    assert [event.id for event in claimed] == [first["id"], second["id"]]
    assert await world.watch.receive(second) is Receipt.KNOWN
    assert not world.watch.has_claimed


async def test_while_stripe_is_in_trouble_nothing_is_claimed_as_it_is_received(
    world: World, stripe: LocalStripe
) -> None:
    event = await pay(world, stripe, "INV-1")
    world.watch._in_trouble = 1
    assert await world.watch.receive(event) is Receipt.KEPT
    assert world.db.run(lambda session: session.scalars(sa.select(StripeEvent.owner)).all()) == [None]
