"""What happens to links, payments and exceptions is in the feed, once for each fact, however often it is seen."""

from typing import Any

from domain.feed import reading
from domain.feed.reading import Happened
from domain.files.import_fields import read_fields
from domain.files.importing import take
from domain.money import Money
from domain.organisations import organisations
from domain.states import FeedKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import TEAM, make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(1_000, "USD")


async def see(world: World, stripe: LocalStripe) -> None:
    for _ in range(2):
        for event in stripe.objects("event"):
            await world.watch.receive(event)
        await world.watching.settle_due()
    await world.watching.sweep_if_due()


def happened(world: World) -> list[Happened]:
    world.db.run(reading.number, world.organisation_id)
    return list(world.db.run(reading.read_page, world.scope, None).events)


def kinds(world: World) -> list[FeedKind]:
    return [event.kind for event in happened(world)]


async def create(world: World, stripe: LocalStripe) -> str:
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-1", amount=1_000), SEEN, patience=PATIENCE)
    return str(stripe.links()[0]["id"])


async def test_a_link_its_payment_and_its_refund(world: World, stripe: LocalStripe) -> None:
    link = await create(world, stripe)
    session = await stripe.open_session(link)
    intent = (await stripe.pay(session["id"]))["payment_intent"]
    await see(world, stripe)
    await stripe.refund(intent, amount=400)
    await see(world, stripe)
    created, paid, refunded, opened = happened(world)
    assert [one.kind.value for one in (created, paid, refunded, opened)] == [
        "link_created",
        "paid",
        "refunded",
        "exception_opened",
    ]
    assert {one.invoice_number for one in happened(world)} == {"INV-1"}
    assert created.facts["amount"] == [1_000, "USD"]
    assert created.facts["url"] == stripe.links()[0]["url"]
    assert (paid.facts["amount"], paid.facts["stripe_payment"]) == ([1_000, "USD"], intent)
    assert (refunded.facts["amount"], refunded.facts["refunded_in_all"]) == ([400, "USD"], [400, "USD"])
    assert opened.facts["kind"] == "refunded"


async def test_a_dispute(world: World, stripe: LocalStripe) -> None:
    session = await stripe.open_session(await create(world, stripe))
    intent = (await stripe.pay(session["id"]))["payment_intent"]
    await see(world, stripe)
    await stripe.dispute(intent)
    await see(world, stripe)
    disputed = happened(world)[2]
    assert disputed.kind is FeedKind.DISPUTED
    assert disputed.facts["inquiry"] is False
    assert disputed.facts["due_by"] is not None
    assert kinds(world).count(FeedKind.DISPUTED) == 1


async def test_an_exception_that_ends(world: World, stripe: LocalStripe) -> None:
    await create(world, stripe)
    put(world, "20.00")
    [opened] = [one for one in happened(world) if one.kind is FeedKind.EXCEPTION_OPENED]
    assert opened.facts["kind"] == "amount_changed"
    await world.desk.resolve_exception(ADA, opened.facts["exception"], "Wrote to them")
    ended = happened(world)[-1]
    assert ended.kind is FeedKind.EXCEPTION_RESOLVED
    assert ended.facts == {
        "exception": opened.facts["exception"],
        "kind": "amount_changed",
        "by": ADA.user_id,
        "reason": "Wrote to them",
    }


def put(world: World, amount: str) -> None:
    row: dict[str, Any] = dict.fromkeys(("buyer_email", "issue_date", "due_date", "description"), "")
    row |= {"number": "INV-1", "buyer_name": "Acme", "billing_amount": amount, "currency": "USD"}
    organisation = world.db.run(organisations.get_by_team, TEAM)
    take(world.db, organisation, [read_fields(1, row)], now=world.clock())
