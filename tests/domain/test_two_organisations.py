"""Two organisations in one process, each with a Stripe account of its own: nothing of one reaches the other."""

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.errors import InvoiceNotFound, OrganisationUnknown
from domain.models import Invoice, Ledger, Link, Payment
from domain.money import Money
from domain.payments.events import Receipt
from domain.states import AnnouncementKind, LinkStatus
from domain.summaries import Actor
from sandbox.stripe.api.rate import RateLimits
from sandbox.stripe.faults.rules import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import PAGE, make_invoice
from tests.domain.world import ADA, Tenant, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")
ACCOUNT = "acct_other"


@pytest.fixture
async def other(world: World, stripe: LocalStripe) -> Tenant:
    """An organisation with an account of its own at the same Stripe."""
    return await world.serve("T0OTHER", key=stripe.add_key("sk_test_other", account=ACCOUNT).secret)


@pytest.fixture
async def elsewhere(world: World) -> AsyncIterator[tuple[Tenant, LocalStripe]]:
    """An organisation whose Stripe fails by itself."""
    limits = RateLimits(live=None, test=None, endpoint=None)
    async with LocalStripe(account="acct_elsewhere", limits=limits) as stripe:
        yield await world.serve("T0OTHER", key=stripe.api_key, stripe=stripe), stripe


async def create(world: World, actor: Actor, invoice_id: int) -> LinkStatus:
    return (await world.desk.create_link(actor, invoice_id, SEEN, patience=PATIENCE)).status


def bill_both(world: World, other: Tenant, number: str = "INV-1") -> tuple[int, int]:
    return make_invoice(world.db, number), make_invoice(world.db, number, organisation_id=other.id)


async def pay(stripe: LocalStripe, account: str | None = None) -> None:
    (link,) = stripe.objects("payment_link", account=account)
    await stripe.pay((await stripe.open_session(link["id"]))["id"])


def ledger_of(world: World, ledger_id: int) -> Ledger:
    return world.db.run(lambda session: session.get_one(Ledger, ledger_id))


async def test_the_same_number_has_a_link_in_each_ones_account(
    world: World, stripe: LocalStripe, other: Tenant
) -> None:
    mine, theirs = bill_both(world, other)
    assert await create(world, ADA, mine) is LinkStatus.PENDING_PAYMENT
    assert await create(world, other.actor, theirs) is LinkStatus.PENDING_PAYMENT

    shown = [await world.desk.find_invoice(actor, "inv-1") for actor in (ADA, other.actor)]
    urls = [one.link.url for one in shown if one is not None and one.link is not None]
    at_stripe = [stripe.objects("payment_link", account=account)[0]["url"] for account in (None, ACCOUNT)]
    assert urls == at_stripe
    assert other.account.ledger_id != world.account.ledger_id


async def test_a_payment_is_recorded_and_told_where_it_belongs(
    world: World, stripe: LocalStripe, other: Tenant
) -> None:
    mine, theirs = bill_both(world, other)
    await create(world, ADA, mine)
    await create(world, other.actor, theirs)
    await pay(stripe, ACCOUNT)
    await world.see()

    assert (await world.desk.get_invoice(other.actor, theirs)).status is LinkStatus.PAID
    assert (await world.desk.get_invoice(ADA, mine)).status is LinkStatus.PENDING_PAYMENT
    told = [(message.kind, message.destination) for message in other.poster.posted]
    assert told == [(AnnouncementKind.PAID, "CT0OTHER")]
    assert world.poster.posted == []

    await pay(stripe)
    await world.see()
    assert len(world.poster.posted) == len(other.poster.posted) == 1
    by_id = sa.select(Payment.ledger_id).order_by(Payment.id)
    ledgers = world.db.run(lambda session: list(session.scalars(by_id)))
    assert ledgers == [other.account.ledger_id, world.account.ledger_id]


async def test_each_sweep_finds_its_own(world: World, stripe: LocalStripe, other: Tenant) -> None:
    mine, theirs = bill_both(world, other)
    await create(world, ADA, mine)
    await create(world, other.actor, theirs)
    await pay(stripe)
    before = ledger_of(world, other.account.ledger_id)
    assert await world.watch.sweep_if_due(at_start=True)

    assert (await world.desk.get_invoice(ADA, mine)).status is LinkStatus.PAID
    assert (await world.desk.get_invoice(other.actor, theirs)).status is LinkStatus.PENDING_PAYMENT
    after = ledger_of(world, other.account.ledger_id)
    assert (after.swept_until, after.events_watermark) == (before.swept_until, before.events_watermark)
    assert ledger_of(world, world.account.ledger_id).swept_until is not None


async def test_an_event_at_the_others_webhook_is_not_kept(
    world: World, stripe: LocalStripe, other: Tenant
) -> None:
    mine, theirs = bill_both(world, other)
    await create(world, ADA, mine)
    await create(world, other.actor, theirs)
    await pay(stripe)
    event = completed(stripe)

    assert await world.watching.receive(other.id, event) is Receipt.NOT_OURS
    assert await world.watching.receive(world.organisation_id, event) is Receipt.KEPT


async def test_ids_of_one_are_refused_at_the_other(world: World, other: Tenant) -> None:
    mine, theirs = bill_both(world, other)
    for actor, invoice_id in ((ADA, theirs), (other.actor, mine)):
        with pytest.raises(InvoiceNotFound):
            await world.desk.get_details(actor, invoice_id)
        with pytest.raises(InvoiceNotFound):
            await create(world, actor, invoice_id)
    with pytest.raises(OrganisationUnknown):
        await world.desk.get_home(Actor("T0NOBODY", "U0EVE"))


async def test_another_account_of_one_changes_nothing_of_the_other(
    world: World, stripe: LocalStripe, other: Tenant
) -> None:
    mine, theirs = bill_both(world, other)
    await create(world, ADA, mine)
    await create(world, other.actor, theirs)
    key = stripe.add_key("sk_test_third", account="acct_third").secret
    changed = await world.serve("T0OTHER", key=key)

    assert changed.account.ledger_id != other.account.ledger_id
    stands = sa.select(Invoice.id, Invoice.status).order_by(Invoice.id)
    assert world.db.run(lambda session: [tuple(row) for row in session.execute(stands)]) == [
        (mine, LinkStatus.PENDING_PAYMENT),
        (theirs, LinkStatus.NOT_CREATED),
    ]
    assert await create(world, other.actor, theirs) is LinkStatus.PENDING_PAYMENT
    more = make_invoice(world.db, "INV-2")
    assert await create(world, ADA, more) is LinkStatus.PENDING_PAYMENT


async def test_a_key_that_is_refused_stops_nobody_else(
    world: World, stripe: LocalStripe, other: Tenant
) -> None:
    mine, theirs = bill_both(world, other)
    stripe.key(stripe.api_key).revoked = True
    assert await create(world, ADA, mine) is LinkStatus.NOT_CREATED
    assert await create(world, other.actor, theirs) is LinkStatus.PENDING_PAYMENT
    await pay(stripe, ACCOUNT)
    await world.see()

    assert (await world.desk.get_invoice(other.actor, theirs)).status is LinkStatus.PAID
    assert (await world.desk.get_stripe_state(other.actor)).paused is None
    assert (await world.desk.get_stripe_state(ADA)).paused


async def test_a_stripe_that_hangs_stops_nobody_else(
    world: World, stripe: LocalStripe, elsewhere: tuple[Tenant, LocalStripe]
) -> None:
    other, their_stripe = elsewhere
    mine, theirs = bill_both(world, other)
    await create(world, ADA, mine)
    await create(world, other.actor, theirs)
    await pay(stripe)
    await pay(their_stripe)
    await world.watching.receive(other.id, completed(their_stripe))
    hanging = their_stripe.faults.add(FaultKind.SLOW, times=None, path="*", seconds=math.inf)
    await start_run(world, other.actor, make_invoice(world.db, "INV-2", organisation_id=other.id))
    settling = asyncio.create_task(world.watching.settle_due())
    creating = asyncio.create_task(world.creation.run_due())
    async with asyncio.timeout(PATIENCE):
        while hanging.fired < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    # While both kinds of work wait for the one that hangs, something comes for the other.
    later = make_invoice(world.db, "INV-3")
    await start_run(world, ADA, later)
    await world.watching.receive(world.organisation_id, completed(stripe))
    await reaches(world, mine, LinkStatus.PAID)
    await reaches(world, later, LinkStatus.PENDING_PAYMENT)

    assert not settling.done()
    assert not creating.done()
    their_stripe.faults.remove(hanging)
    await asyncio.gather(settling, creating)
    assert (await world.desk.get_invoice(other.actor, theirs)).status is LinkStatus.PAID


def completed(stripe: LocalStripe) -> dict[str, Any]:
    (event,) = [one for one in stripe.objects("event") if one["type"] == "checkout.session.completed"]
    return event


async def start_run(world: World, actor: Actor, invoice_id: int) -> None:
    """A bulk run of one invoice, which waits for whoever creates what is due."""
    desk, ids = world.desk, {invoice_id}
    selection = (await desk.open_list(actor, shape=PAGE)).selection.id
    await desk.tick(
        actor, selection, revision=1, displayed=ids, ticked=ids, acted_at="1.000001", opened_with=""
    )
    seal = (await desk.confirm(actor, selection)).seal
    await desk.start_run(actor, selection, seal=seal, submission=f"V{invoice_id}", view_id=None)


async def reaches(world: World, invoice_id: int, status: LinkStatus) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await world.desk.get_invoice(ADA, invoice_id)).status is not status:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_with_the_same_account_a_payment_is_of_whoever_has_the_link(
    world: World, stripe: LocalStripe
) -> None:
    other = await world.serve("T0OTHER", key=stripe.add_key("sk_test_same").secret)
    mine, theirs = bill_both(world, other)
    await create(world, ADA, mine)
    await create(world, other.actor, theirs)
    assert other.account.ledger_id == world.account.ledger_id
    theirs_url = (await world.desk.get_invoice(other.actor, theirs)).link
    assert theirs_url is not None
    await stripe.pay((await stripe.open_session(theirs_url.url))["id"])
    for _ in range(2):
        await world.see()
        assert await world.watching.get(other.id).sweep_if_due(at_start=True)

    assert (await world.desk.get_invoice(ADA, mine)).status is LinkStatus.PENDING_PAYMENT
    assert (await world.desk.get_invoice(other.actor, theirs)).status is LinkStatus.PAID
    assert (len(world.poster.posted), len(other.poster.posted)) == (0, 1)


async def test_keys_that_cant_read_their_account_are_kept_apart(
    db: Database, world: World, stripe: LocalStripe
) -> None:
    hidden = stripe.add_key("rk_test_hidden", without={"rak_accounts_kyc_basic_read"}, account=ACCOUNT)
    other = await world.serve("T0OTHER", key=hidden.secret)
    _, theirs = bill_both(world, other)
    await create(world, other.actor, theirs)
    unnamed = ledger_of(world, other.account.ledger_id)
    assert (unnamed.account, unnamed.id == world.account.ledger_id) == (None, False)

    # Another organisation's key reads whose account it is: it is proved by the link that stands in it.
    named = await world.serve("T0THIRD", key=stripe.add_key("sk_test_named", account=ACCOUNT).secret)
    again = await world.serve("T0OTHER", key="sk_test_named")
    assert again.account.ledger_id == named.account.ledger_id == unnamed.id
    assert ledger_of(world, unnamed.id).account == ACCOUNT
    assert (await world.desk.get_invoice(again.actor, theirs)).status is LinkStatus.PENDING_PAYMENT
    assert db.run(lambda session: session.scalar(sa.select(sa.func.count()).select_from(Link))) == 1
