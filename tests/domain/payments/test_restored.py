"""A database that was put back makes no second link: what it forgot is taken up."""

from typing import Any

import pytest
import sqlalchemy as sa

from domain.models import PaymentException
from domain.states import Badge, ExceptionKind, LinkState, LinkStatus
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain import backups
from tests.domain.factories import make_invoice
from tests.domain.payments.gaps import DAY, create, pass_time, restarted, with_link
from tests.domain.payments.test_unknown import link_of, opened, pay, said
from tests.domain.world import ADA, World

__all__ = ["with_link"]


@pytest.mark.parametrize("days", [0, 3, 40])
async def test_a_link_that_a_restored_database_forgot_is_taken_up_and_no_second_one_made(
    world: World, stripe: LocalStripe, with_link: int, days: int
) -> None:
    backup = backups.take(world.db)
    await create(world, with_link)
    link = link_of(world, with_link)
    await pay(stripe, str(link.stripe_id))
    pass_time(stripe, world, days * DAY)
    async with restarted(world, backup) as after:
        # Before anything else, as the first click may come before the first poll.
        assert await create(after, with_link) in (LinkStatus.PENDING_PAYMENT, LinkStatus.PAID)
        assert link_of(after, with_link).stripe_id == link.stripe_id
        await after.see()
        assert (await after.desk.get_invoice(ADA, with_link)).status is LinkStatus.PAID
        assert said(after) == ["paid"]
        assert opened(after) == []
    assert len(stripe.links()) == 2


@pytest.mark.parametrize("days", [3, 40])
async def test_what_was_reserved_or_refused_when_the_backup_was_made_is_taken_up_too(
    world: World, stripe: LocalStripe, with_link: int, days: int
) -> None:
    """The keys that it was asked with are forgotten by Stripe after a day, and new ones by the backup."""
    sent = make_invoice(world.db)
    stripe.faults.add(FaultKind.ERROR, method="POST", status=500)
    await create(world, sent)
    refused = make_invoice(world.db)
    stripe.faults.add(FaultKind.CODED, method="POST", status=400, code="parameter_invalid")
    await create(world, refused)
    world.db.run(
        lambda session: session.execute(
            sa.text("UPDATE links SET next_attempt_at = 4000000000000 WHERE state = 'reserved'")
        )
    )
    assert link_of(world, sent).state is LinkState.RESERVED
    assert link_of(world, refused).state is LinkState.REFUSED
    backup = backups.take(world.db)
    world.db.run(_let_them_be_sent_by_a_new_key)
    await world.creation.run_due()
    await create(world, refused)
    pass_time(stripe, world, days * DAY)
    assert len(stripe.links()) == 3
    async with restarted(world, backup) as after:
        world.db.run(lambda session: session.execute(sa.text("UPDATE links SET next_attempt_at = 0")))
        await after.creation.run_due()
        for invoice_id in (sent, refused):
            assert await create(after, invoice_id) is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == 3


def _let_them_be_sent_by_a_new_key(session: Any) -> None:
    new = "UPDATE links SET idempotency_key = 'a-new-one', next_attempt_at = 0 WHERE state = 'reserved'"
    session.execute(sa.text(new))


@pytest.mark.parametrize("days", [1, 40])
async def test_a_database_from_before_the_first_link_looks_once_at_all_links(
    world: World, stripe: LocalStripe, days: int
) -> None:
    paid, waiting = make_invoice(world.db), make_invoice(world.db)
    backup = backups.take(world.db)
    for invoice_id in (paid, waiting):
        await create(world, invoice_id)
    links = {one: link_of(world, one).stripe_id for one in (paid, waiting)}
    session = await pay(stripe, str(links[paid]))
    await stripe.refund(session["id"], amount=1_000)
    pass_time(stripe, world, days * DAY)
    async with restarted(world, backup) as after:
        await after.watching.poll_if_due()
        await after.see()
        invoice = await after.desk.get_invoice(ADA, paid)
        assert (invoice.status, invoice.badges) == (LinkStatus.PAID, (Badge.PARTLY_REFUNDED,))
        assert said(after) == ["paid", "refunded"]
        assert await create(after, waiting) is LinkStatus.PENDING_PAYMENT
        assert {one: link_of(after, one).stripe_id for one in links} == links
    assert len(stripe.links()) == 2


async def test_a_link_whose_invoice_comes_back_later_is_taken_up_when_it_would_get_another(
    world: World, stripe: LocalStripe, with_link: int
) -> None:
    """The backup is from before the import, which is done again."""
    backup = backups.take(world.db)
    invoice_id = make_invoice(world.db, "INV-LATE")
    await create(world, invoice_id)
    link = link_of(world, invoice_id).stripe_id
    async with restarted(world, backup) as after:
        await after.see()
        assert opened(after) == [(ExceptionKind.LINK_UNKNOWN, "INV-LATE", None)]
        again = make_invoice(after.db, "inv-late")
        assert await create(after, again) is LinkStatus.PENDING_PAYMENT
        assert link_of(after, again).stripe_id == link
        resolved = sa.select(PaymentException.resolved_at)
        assert after.db.run(lambda session: session.scalar(resolved)) is not None
    assert len(stripe.links()) == 2


async def test_one_that_was_switched_off_as_advised_is_not_taken_up(
    world: World, stripe: LocalStripe, with_link: int
) -> None:
    backup = backups.take(world.db)
    await create(world, make_invoice(world.db, "INV-LATE"))
    async with restarted(world, backup) as after:
        await after.see()
        await stripe.deactivate(stripe.links()[-1]["id"])
        again = make_invoice(after.db, "INV-LATE")
        assert await create(after, again) is LinkStatus.PENDING_PAYMENT
    assert [link["active"] for link in stripe.links()] == [True, False, True]


async def test_a_database_that_is_put_back_beneath_a_running_process_is_noticed(
    world: World, stripe: LocalStripe, with_link: int
) -> None:
    backup = backups.take(world.db)
    pass_time(stripe, world, 600)
    await create(world, with_link)
    await world.see()
    backups.put_back(world.db, backup)
    await create(world, with_link)
    assert len(stripe.links()) == 2
