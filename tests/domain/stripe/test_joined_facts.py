"""What was known in a ledger that turned out to be of another one's account goes on in that one, once."""

import pytest

from domain.database import Database
from domain.feed import reading
from domain.states import LinkState, LinkStatus
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice, make_link
from tests.domain.payments.test_deactivated_links import see
from tests.domain.payments.test_unknown import link_of, pay, said
from tests.domain.stripe.keys import A_RESTRICTED, SEEN, A, create, keys, long_ago, started, status
from tests.domain.stripe.test_joined_ledgers import restore_from_before_the_request
from tests.patience import PATIENCE

__all__ = ["keys"]
pytestmark = pytest.mark.usefixtures("keys")


@pytest.fixture
async def named(db: Database, stripe: LocalStripe) -> int:
    """The ledger of the account, in which something was asked for that never came to Stripe."""
    unsent = make_invoice(db, "INV-1")
    async with started(db, stripe, A) as world:
        stripe.faults.add(FaultKind.DROP, method="POST", path="/v1/payment_links")
        await create(world, unsent)
        found = world.account.ledger_id
    long_ago(db)
    return found


async def test_programs_hear_of_what_was_paid_before(db: Database, stripe: LocalStripe, named: int) -> None:
    invoice = make_invoice(db, "INV-2")
    async with started(db, stripe, A_RESTRICTED) as world:
        await create(world, invoice)
        await pay(stripe, str(link_of(world, invoice).stripe_id))
        await see(world)
        assert said(world) == ["paid"]
    async with started(db, stripe, A) as world:
        await see(world)
        assert await status(world, invoice) is LinkStatus.PAID
        db.run(reading.number, world.organisation_id)
        page = db.run(reading.read_page, world.scope, None)
        assert [one.kind.value for one in page.events].count("paid") == 1


async def test_what_was_told_of_a_link_that_nobody_knows_is_not_told_again(
    db: Database, stripe: LocalStripe, named: int
) -> None:
    invoice = make_invoice(db, "INV-2")
    async with started(db, stripe, A_RESTRICTED) as world:
        await create(world, invoice)
        await see(world)
        copy = await stripe.copy_link(stripe.links()[0]["id"], amount=900)
        await pay(stripe, copy["id"])
        await see(world)
        assert said(world) != []
    async with started(db, stripe, A) as world:
        await see(world)
        assert said(world) == []


async def test_back_with_a_key_that_another_workspace_uses_the_links_are_where_they_went(
    db: Database, stripe: LocalStripe, named: int
) -> None:
    invoice = make_invoice(db, "INV-2")
    async with started(db, stripe, A_RESTRICTED) as world:
        await create(world, invoice)
        eve = await world.serve("T0OTHER", key=A_RESTRICTED)
        theirs = make_invoice(db, "THEIRS-1", organisation_id=eve.id)
        await world.desk.create_link(eve.actor, theirs, SEEN, patience=PATIENCE)
    async with started(db, stripe, A) as world:
        assert world.account.ledger_id == named
    async with started(db, stripe, A_RESTRICTED) as world:
        assert world.account.ledger_id == named
        await create(world, invoice)
        await world.creation.run_due()
    assert [one["metadata"]["invoice_number"] for one in stripe.links()].count("INV-2") == 1


async def test_a_link_that_was_refused_takes_up_what_another_ledger_promised(
    db: Database, stripe: LocalStripe
) -> None:
    invoice = make_invoice(db)
    async with started(db, stripe, A) as world:
        named = world.account.ledger_id
    make_link(db, invoice, ledger_id=named, state=LinkState.REFUSED)
    async with started(db, stripe, A_RESTRICTED) as world:
        await create(world, invoice)
        apart = world.account.ledger_id
    db.run(restore_from_before_the_request, apart)
    async with started(db, stripe, A) as world:
        assert world.account.ledger_id == named != apart
        await create(world, invoice)
        await world.creation.run_due()
        assert await status(world, invoice) is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == 1
