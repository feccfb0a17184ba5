"""One link an invoice, whatever Stripe, the network and other people do meanwhile."""

import asyncio
import math
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from domain.coordination.leases import Lease
from domain.database import Database
from domain.errors import AmountChanged, InvoiceNotFound, NotEligible
from domain.invoices.list_position import place
from domain.invoices.locking import lock_own
from domain.links import claiming, reserving
from domain.links.claiming import Intent
from domain.models import EPOCH, AuditEntry, Invoice, Link
from domain.money import Money
from domain.reasons import Reason
from domain.states import LinkState, LinkStatus
from domain.stripe.errors import StripeRefused
from domain.summaries import Actor
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import NOW, make_invoice, make_link, make_organisation
from tests.domain.world import ADA, BEN, World
from tests.domain.world import world as another_world
from tests.patience import PATIENCE, let_pass

SEEN = Money(120_050, "USD")


async def create(world: World, invoice_id: int, by: Actor = ADA, patience: float = PATIENCE) -> LinkStatus:
    return (await world.desk.create_link(by, invoice_id, SEEN, patience=patience)).status


async def run_until_created(world: World, invoice_id: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await world.desk.get_invoice(ADA, invoice_id)).status is LinkStatus.NOT_CREATED:
            await world.accounts.settle()
            await world.creation.run_due()
            await asyncio.sleep(0.05)


async def test_creating_makes_one_link_with_the_invoices_amount(world: World, stripe: LocalStripe) -> None:
    invoice = await world.desk.get_invoice(ADA, make_invoice(world.db, "INV-1"))
    after = await world.desk.create_link(ADA, invoice.id, SEEN, patience=PATIENCE)
    (link,) = stripe.links()
    assert after.status is LinkStatus.PENDING_PAYMENT
    assert after.link is not None
    assert after.link.url == link["url"]
    assert after.link.amount == SEEN
    assert link["metadata"]["invoice_number"] == "INV-1"
    assert link["metadata"]["organization"] == ADA.team_id
    assert link["payment_intent_data"]["metadata"] == link["metadata"]
    assert link["payment_method_types"] == ["card"]
    assert link["restrictions"]["completed_sessions"]["limit"] == 1


async def test_two_people_at_once_get_one_link(world: World, stripe: LocalStripe) -> None:
    invoice_id = make_invoice(world.db)
    statuses = await asyncio.gather(*(create(world, invoice_id, by) for by in [ADA, BEN] * 5))
    assert len(stripe.links()) == 1
    assert LinkStatus.PENDING_PAYMENT in statuses


async def test_what_changed_since_the_look_is_shown_first(world: World, stripe: LocalStripe) -> None:
    invoice_id = make_invoice(world.db, amount=5_000)
    with pytest.raises(AmountChanged) as changed:
        await create(world, invoice_id)
    assert changed.value.now == Money(5_000, "USD")
    assert stripe.links() == []


async def test_without_the_add_on_nothing_is_created(world: World, stripe: LocalStripe) -> None:
    make_organisation(world.db, add_on=False)
    invoice_id = make_invoice(world.db)
    with pytest.raises(NotEligible) as refusal:
        await create(world, invoice_id)
    assert refusal.value.reason is Reason.ADD_ON_MISSING
    assert stripe.links() == []


async def test_another_organisations_invoice_is_refused_and_audited(world: World) -> None:
    make_organisation(world.db)
    other = make_organisation(world.db, "T0OTHER")
    invoice_id = make_invoice(world.db, organisation_id=other)
    with pytest.raises(InvoiceNotFound):
        await create(world, invoice_id)
    actions = await world.db.read(lambda session: list(session.scalars(sa.select(AuditEntry.action))))
    assert actions == ["id.refused", "id.refused"]


@pytest.mark.parametrize(
    "fault",
    [FaultKind.DROP, FaultKind.ERROR, FaultKind.RATE_LIMIT, FaultKind.LOCK_TIMEOUT, FaultKind.LOST, FaultKind.TRUNCATED,
     FaultKind.GARBLED],
)  # fmt: skip
async def test_a_trouble_that_passes_ends_in_one_link(
    world: World, stripe: LocalStripe, fault: FaultKind
) -> None:
    invoice_id = make_invoice(world.db)
    stripe.faults.add(fault, method="POST", path="/v1/payment_links")
    assert await create(world, invoice_id) is LinkStatus.NOT_CREATED
    await run_until_created(world, invoice_id)
    assert len(stripe.links()) == 1


@pytest.mark.parametrize(("fault", "made"), [(FaultKind.DONE_ERROR, True), (FaultKind.KEPT_ERROR, False)])
async def test_a_saved_500_ends_in_one_link(
    world: World, stripe: LocalStripe, fault: FaultKind, made: bool
) -> None:
    invoice_id = make_invoice(world.db)
    stripe.faults.add(fault, method="POST", path="/v1/payment_links")
    await create(world, invoice_id)
    assert len(stripe.links()) == made
    await run_until_created(world, invoice_id)
    assert len(stripe.links()) == 1


async def test_an_answer_after_the_time_out_ends_in_one_link(world: World, stripe: LocalStripe) -> None:
    invoice_id = make_invoice(world.db)
    late = stripe.faults.add(FaultKind.LATE, method="POST", path="/v1/payment_links", seconds=math.inf)
    creating = asyncio.create_task(create(world, invoice_id, patience=3 * PATIENCE))
    await stripe.until(lambda: late.fired == 1)
    await let_pass(2 * PATIENCE)
    assert await creating is LinkStatus.NOT_CREATED
    stripe.faults.remove(late)
    await run_until_created(world, invoice_id)
    assert len(stripe.links()) == 1


async def test_a_key_that_stripe_has_forgotten_is_not_used_again(world: World, stripe: LocalStripe) -> None:
    invoice_id = make_invoice(world.db)
    stripe.faults.add(FaultKind.LOST, method="POST", path="/v1/payment_links")
    await create(world, invoice_id)
    stripe.advance(26 * 3600)

    def age(session: sa.orm.Session) -> None:
        for link in session.scalars(sa.select(Link)):
            assert link.first_sent_at is not None
            link.first_sent_at -= timedelta(hours=26)
            link.last_sent_at = link.first_sent_at

    await world.db.write(age)
    await run_until_created(world, invoice_id)
    assert len(stripe.links()) == 1


async def test_no_new_key_is_taken_if_the_old_one_was_sent_since_the_look(world: World) -> None:
    make_invoice(world.db)
    invoice = await world.desk.get_invoice(ADA, 1)

    def race(session: sa.orm.Session) -> bool:
        intent = reserved(session, world, invoice.id)
        assert claiming.begin_sending(session, intent, world.lease.owner, timedelta(0))
        return claiming.renew_key(session, intent, world.lease.owner)

    assert not await world.db.write(race)


async def test_what_stripe_refuses_fails_with_its_reason_and_can_be_tried_again(
    world: World, stripe: LocalStripe
) -> None:
    stripe.rules.least_checked = "creation"
    invoice_id = make_invoice(world.db, amount=1)
    after = await world.desk.create_link(ADA, invoice_id, Money(1, "USD"), patience=PATIENCE)
    assert after.refusal
    assert after.eligible
    assert stripe.links() == []
    stripe.rules.least_checked = "never"
    again = await world.desk.create_link(ADA, invoice_id, Money(1, "USD"), patience=PATIENCE)
    assert again.status is LinkStatus.PENDING_PAYMENT


@pytest.mark.postgres
async def test_an_import_beside_a_refusal_leaves_the_invoice_at_its_new_place(postgresql_url: str) -> None:
    db, due = Database(postgresql_url), date(2031, 1, 31)
    lease = Lease("one", timedelta(seconds=60), timedelta(0))
    invoice_id = make_invoice(db)
    link_id = make_link(db, invoice_id, state=LinkState.RESERVED, next_attempt_at=EPOCH)

    def claim(session: sa.orm.Session) -> Intent:
        link = session.get_one(Link, link_id)
        place(session.get_one(Invoice, invoice_id), link)
        return claiming.claim_due(session, link.ledger_id, 1, lease)[0]

    def import_while_refused(session: sa.orm.Session) -> Future[bool]:
        invoice = session.get_one(Invoice, invoice_id, with_for_update=True)
        invoice.due_date = due
        place(invoice, session.get_one(Link, link_id))
        session.flush()
        waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        refused = pool.submit(db.run, refuse)
        while not session.scalar(waiting):
            assert not refused.done()
        return refused

    def refuse(session: sa.orm.Session) -> bool:
        return claiming.record_refused(session, intent, "one", StripeRefused("too small", None), NOW)

    intent = db.run(claim)
    with ThreadPoolExecutor(1) as pool:
        assert db.run(import_while_refused).result()
    found = db.run(lambda session: session.scalar(sa.select(Invoice.position)))
    assert found is not None
    assert found.startswith(f"0|{due.isoformat()}|")
    db.close_now()


async def test_another_process_carries_on_what_one_left(
    db: Database, world: World, stripe: LocalStripe
) -> None:
    invoice_id = make_invoice(db)
    stripe.faults.outage()
    await create(world, invoice_id, patience=0.1)
    await world.creation.finish()
    stripe.faults.clear()
    async with another_world(db, stripe, owner="two") as two:
        await run_until_created(two, invoice_id)
    assert len(stripe.links()) == 1


async def test_the_database_refuses_a_second_link(db: Database, world: World) -> None:
    make_invoice(db)
    await create(world, 1)

    def copy(session: sa.orm.Session) -> None:
        row = session.execute(sa.select(Link.__table__)).mappings().one()
        values = {
            **row,
            "id": 99,
            "idempotency_key": "other",
            "reference": "other",
            "stripe_id": "plink_other",
        }
        session.execute(sa.insert(Link).values(**values))

    with pytest.raises(sa.exc.IntegrityError):
        await db.write(copy)


async def test_invoices_stand_where_their_links_put_them(db: Database, world: World) -> None:
    invoice_id = make_invoice(db)
    await create(world, invoice_id)
    stands = sa.select(Invoice.status, Invoice.position).where(Invoice.id == invoice_id)
    status, position = await db.read(lambda session: session.execute(stands).one())
    assert (status, position[0]) == (LinkStatus.PENDING_PAYMENT, "1")


def reserved(session: sa.orm.Session, world: World, invoice_id: int) -> Intent:
    invoice, organisation = lock_own(session, world.scope, invoice_id)
    return reserving.reserve_one(
        session, world.scope, ADA, invoice, organisation, SEEN, world.lease, world.clock()
    )


@pytest.mark.parametrize(
    "money", [Money(150_000_000, "HUF"), Money(100_000_000, "JPY"), Money(999_999_999_999, "USD")], ids=str
)
async def test_a_large_amount_is_stripes_to_refuse(world: World, stripe: LocalStripe, money: Money) -> None:
    invoice = make_invoice(world.db, "INV-1", amount=money.amount, currency=money.currency)
    found = await world.desk.create_link(ADA, invoice, money, patience=PATIENCE)
    assert found.status is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == 1


async def test_stripes_refusal_of_an_amount_is_shown(world: World, stripe: LocalStripe) -> None:
    stripe.rules.most_digits = 8
    invoice = make_invoice(world.db, "INV-1", amount=100_000_000)
    found = await world.desk.create_link(ADA, invoice, Money(100_000_000, "USD"), patience=PATIENCE)
    assert found.refusal is not None
    assert "no more than" in found.refusal
    assert found.eligible
