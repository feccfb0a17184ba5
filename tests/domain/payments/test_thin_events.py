"""Thin events, which only name what they are about: taken as snapshots are, and one fact with them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.models import StripeEvent
from domain.money import Money
from domain.payments.event_reading import TYPES, read_event
from domain.payments.events import Receipt
from domain.payments.many import unused
from sandbox.stripe.server import LocalStripe
from tests.databases import on_sqlite
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")
THIN: dict[str, Any] = {
    "id": "evt_test_65T",
    "object": "v2.core.event",
    "type": "v1.checkout.session.completed",
    "created": "2026-11-02T09:30:00.123Z",
    "livemode": False,
    "snapshot_event": "evt_1S",
    "related_object": {
        "id": "cs_test_1",
        "type": "checkout.session",
        "url": "/v1/checkout/sessions/cs_test_1",
    },
}


def thin_of(event: dict[str, Any], **changed: object) -> dict[str, Any]:
    """The thin event beside this snapshot."""
    about = event["data"]["object"]
    return THIN | {
        "type": f"v1.{event['type']}",
        "created": datetime.fromtimestamp(event["created"], UTC).isoformat().replace("+00:00", "Z"),
        "snapshot_event": event["id"],
        "related_object": {"id": about["id"], "type": about["object"], "url": f"/v1/{about['id']}"},
        **changed,
    }


@pytest.mark.parametrize("told", TYPES)
def test_each_type_is_read_as_its_snapshot(told: str) -> None:
    read = read_event(THIN | {"type": f"v1.{told}"}, livemode=False)
    assert read is not None
    assert (read.id, read.type, read.object_id) == ("evt_1S", told, "cs_test_1")
    assert read.created_at == datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "changed",
    [
        {"livemode": True},
        {"type": "checkout.session.completed.v1"},
        {"object": "event"},
        {"related_object": None},
        {"related_object": {"id": "\0"}},
        {"created": 1_790_000_000},
        {"created": "2026-11-02T09:30:00"},
        {"created": "soon"},
        {"snapshot_event": None, "id": None},
    ],
)
def test_what_is_no_thin_event_of_ours_is_not_read(changed: dict[str, Any]) -> None:
    assert read_event(THIN | changed, livemode=False) is None


async def paid(world: World, stripe: LocalStripe) -> dict[str, Any]:
    """The snapshot event of a link's payment."""
    await world.desk.create_link(ADA, make_invoice(world.db), SEEN, patience=PATIENCE)
    session = await stripe.open_session(stripe.links()[0]["id"])
    await stripe.pay(session["id"])
    return next(e for e in stripe.objects("event") if e["type"] == "checkout.session.completed")


async def test_a_payment_that_only_a_thin_event_tells_of_is_announced(
    world: World, stripe: LocalStripe
) -> None:
    event = thin_of(await paid(world, stripe))
    assert await world.watch.receive(event) is Receipt.KEPT
    await world.watching.settle_due()
    await world.announcing.deliver_due()
    assert len(world.poster.posted) == 1


@pytest.mark.parametrize("thin_first", [True, False])
async def test_both_kinds_are_one_fact_asked_for_once(
    world: World, stripe: LocalStripe, thin_first: bool
) -> None:
    snapshot = await paid(world, stripe)
    both = [thin_of(snapshot), snapshot]
    receipts = [await world.watch.receive(event) for event in (both if thin_first else both[::-1])]
    assert receipts == [Receipt.KEPT, Receipt.KNOWN]
    await world.see()
    asked = [one.path for one in stripe.requests if one.path.startswith("/v1/checkout/sessions/")]
    assert len(asked) == 1
    assert len(world.poster.posted) == 1


async def test_a_thin_event_that_joins_with_no_snapshot_tells_the_same_fact_once(
    world: World, stripe: LocalStripe
) -> None:
    snapshot = await paid(world, stripe)
    assert await world.watch.receive(snapshot) is Receipt.KEPT
    assert await world.watch.receive(thin_of(snapshot, snapshot_event=None)) is Receipt.KEPT
    await world.see()
    assert len(world.poster.posted) == 1


async def test_a_thin_event_of_somebody_elses_payment_is_settled_by_what_is_fetched(
    world: World, stripe: LocalStripe
) -> None:
    snapshot = await paid(world, stripe)
    world.db.run(lambda session: session.execute(sa.text("UPDATE links SET stripe_id = 'plink_other'")))
    assert await world.watch.receive(thin_of(snapshot)) is Receipt.KEPT
    await world.watching.settle_due()
    settled = sa.select(StripeEvent.settled_at.is_not(None), StripeEvent.waits_for)
    assert world.db.run(lambda session: session.execute(settled).all()) == [(True, None)]


@pytest.mark.parametrize("told", ["v1.customer.created", "v2.core.event_destination.ping", "invoice.paid"])
async def test_a_type_that_is_of_no_use_is_said_to_be(world: World, told: str) -> None:
    for _ in range(3):
        assert await world.watch.receive(THIN | {"type": told}) is Receipt.NOT_USED
    noted = world.db.run(unused.list_unused, world.account.ledger_id, world.clock() - timedelta(hours=1))
    assert noted == [told]


@on_sqlite
async def test_one_of_a_known_type_that_cannot_be_read_is_said_to_be_of_no_use(world: World) -> None:
    assert await world.watch.receive(THIN | {"related_object": None, "livemode": True}) is Receipt.NOT_OURS
    assert await world.watch.receive(THIN | {"related_object": None}) is Receipt.NOT_USED
    noted = world.db.run(unused.list_unused, world.account.ledger_id, world.clock() - timedelta(hours=1))
    assert noted == [THIN["type"]]


async def test_a_type_with_what_no_database_keeps_is_left_alone(world: World) -> None:
    assert await world.watch.receive(THIN | {"type": "x\0y" * 100}) is Receipt.NOT_USED
    assert world.db.run(unused.list_unused, world.account.ledger_id, world.clock() - timedelta(hours=1)) == []
