"""Links that can't be created yet: by whose key, in whose account, with which permission."""

import sqlalchemy as sa

from domain.database import Database
from domain.models import Link
from domain.states import LinkStatus, PauseReason
from domain.summaries import Pause
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.links.test_creation import create, reserved, run_until_created
from tests.domain.world import ADA, World
from tests.domain.world import world as another_world


async def test_a_revoked_key_pauses_with_a_sentence_and_work_resumes(
    world: World, stripe: LocalStripe
) -> None:
    invoice_id = make_invoice(world.db)
    stripe.key(stripe.api_key).revoked = True
    assert await create(world, invoice_id) is LinkStatus.NOT_CREATED
    assert (await world.desk.get_stripe_state(ADA)).paused
    stripe.key(stripe.api_key).revoked = False
    await world.db.write(
        lambda session: session.execute(sa.update(Link).values(next_attempt_at=Link.reserved_at))
    )
    await run_until_created(world, invoice_id)
    assert (await world.desk.get_stripe_state(ADA)).paused is None


async def test_test_links_dont_count_while_a_live_key_is_configured(
    db: Database, world: World, stripe: LocalStripe
) -> None:
    invoice_id = make_invoice(db)
    await create(world, invoice_id)
    live = stripe.add_key("sk_live_paylink1")
    async with another_world(db, stripe, key=live.secret) as on_live:
        assert await create(on_live, invoice_id) is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == len(stripe.links(livemode=True)) == 1
    async with another_world(db, stripe) as back:
        shown = await back.desk.get_invoice(ADA, invoice_id)
        assert shown.link is not None
        assert shown.link.url == stripe.links()[0]["url"]


async def test_nothing_is_sent_before_the_account_is_known(db: Database, stripe: LocalStripe) -> None:
    outage = stripe.faults.outage()
    async with another_world(db, stripe) as world:
        invoice_id = make_invoice(db)
        assert (await world.desk.get_stripe_state(ADA)).paused
        stripe.faults.remove(outage)
        assert await create(world, invoice_id) is LinkStatus.NOT_CREATED
        assert stripe.links() == []
        await run_until_created(world, invoice_id)
        assert len(stripe.links()) == 1
        assert (await world.desk.get_stripe_state(ADA)).paused is None


async def test_an_account_that_stripe_never_tells_doesnt_stop_the_work(
    world: World, stripe: LocalStripe
) -> None:
    stripe.faults.add(FaultKind.ERROR, path="/v1/account", times=None)
    invoice_id = make_invoice(world.db)
    two = World(world.db, stripe, owner="two")
    await two.open()
    two.db.run(lambda session: left_reserved(session, two, invoice_id))
    await run_until_created(two, invoice_id)
    assert len(stripe.links()) == 1
    await two.api.close()


def left_reserved(session: sa.orm.Session, world: World, invoice_id: int) -> None:
    reserved(session, world, invoice_id)
    session.execute(sa.update(Link).values(lease_until=None, owner=None))


async def test_a_missing_permission_is_named_and_the_work_waits(world: World, stripe: LocalStripe) -> None:
    make_invoice(world.db)
    stripe.key(stripe.api_key).permissions = frozenset({"rak_payment_link_read"})
    assert await create(world, 1) is LinkStatus.NOT_CREATED
    assert (await world.desk.get_invoice(ADA, 1)).being_created
    because = (await world.desk.get_stripe_state(ADA)).paused
    assert because == Pause(PauseReason.PERMISSION_LACKING, "rak_payment_link_write")
