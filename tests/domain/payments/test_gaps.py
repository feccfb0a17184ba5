"""A gap in what is known of Stripe is read before the next link: a restored database makes no second one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.models import Link, PaymentException
from domain.money import Money
from domain.payments import gaps
from domain.states import Badge, ExceptionKind, LinkState, LinkStatus, PauseReason
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain import backups
from tests.domain.backups import Backup
from tests.domain.factories import make_invoice
from tests.domain.payments.test_unknown import link_of, opened, pay, said
from tests.domain.world import ADA, World
from tests.domain.world import world as made_world
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")
DAY = 86_400


async def create(world: World, invoice_id: int, money: Money = SEEN) -> LinkStatus:
    return (await world.desk.create_link(ADA, invoice_id, money, patience=PATIENCE)).status


def asked(stripe: LocalStripe, since: int = 0) -> list[str]:
    return [f"{one.method} {one.path.removeprefix('/v1/')}" for one in stripe.requests[since:]]


def pass_time(stripe: LocalStripe, world: World, seconds: float) -> None:
    """By Stripe's clock and the business's."""
    stripe.advance(seconds)
    world.ahead += timedelta(seconds=seconds)


@asynccontextmanager
async def restarted(before: World, backup: Backup | None = None) -> AsyncIterator[World]:
    """The next process, in the same time, on the database as it is or as it was."""
    if backup is not None:
        backups.put_back(before.db, backup)
    async with made_world(before.db, before.stripe, owner="two") as after:
        after.ahead = before.ahead
        yield after


@pytest.fixture
async def with_link(world: World) -> int:
    """An invoice, when another one has a link and Stripe was asked."""
    await create(world, make_invoice(world.db))
    await world.see()
    return make_invoice(world.db)


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


async def test_a_fresh_ledgers_first_hundred_links_wait_for_one_request(
    world: World, stripe: LocalStripe
) -> None:
    before = len(stripe.requests)
    await world.watching.poll_if_due()
    assert asked(stripe, before) == ["GET payment_links"]
    for _ in range(2):
        await create(world, make_invoice(world.db))
        await world.watching.poll_if_due()
    assert asked(stripe, before)[1:] == ["POST payment_links", "GET events"] * 2


async def test_after_two_hours_away_the_first_link_waits_for_one_request(
    world: World, stripe: LocalStripe, with_link: int
) -> None:
    pass_time(stripe, world, 2 * 3600)
    async with restarted(world) as after:
        before = len(stripe.requests)
        assert await create(after, with_link) is LinkStatus.PENDING_PAYMENT
        assert await create(after, make_invoice(after.db)) is LinkStatus.PENDING_PAYMENT
        assert asked(stripe, before) == ["GET events", "POST payment_links", "POST payment_links"]


@pytest.mark.parametrize(("minutes", "expected"), [(70, []), (80, ["GET events"])])
async def test_the_interval_between_two_polls_is_no_gap(
    world: World, stripe: LocalStripe, with_link: int, minutes: int, expected: list[str]
) -> None:
    """A quiet account is polled hourly; a process that was suspended for longer reads what it missed."""
    pass_time(stripe, world, minutes * 60)
    before = len(stripe.requests)
    await create(world, with_link)
    assert asked(stripe, before) == [*expected, "POST payment_links"]


async def test_what_a_gap_costs(world: World, stripe: LocalStripe, with_link: int) -> None:
    """docs/explanation/a-link-is-made-once.md counts it."""
    backup = backups.take(world.db)
    await create(world, with_link)
    paid = make_invoice(world.db)
    await create(world, paid)
    backup.rows["invoices"] += [row for row in backups.take(world.db).rows["invoices"] if row["id"] == paid]
    for row in backup.rows["invoices"]:
        if row["id"] == paid:
            row.update(status=LinkStatus.NOT_CREATED)
    await pay(stripe, str(link_of(world, paid).stripe_id))
    async with restarted(world, backup) as after:
        before = len(stripe.requests)
        await create(after, with_link)
        spent = asked(stripe, before)
    assert spent.count("GET events") == 1
    assert sum(one.startswith("GET payment_links/") for one in spent) == 2
    # Of the one that was paid: what was paid, and what became of it; and its payment's own event.
    assert spent.count("GET checkout/sessions") == 1
    assert (spent.count("GET refunds"), spent.count("GET disputes")) == (1, 1)
    assert "POST payment_links" not in spent


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


async def test_what_another_process_is_still_settling_is_waited_for(
    world: World, stripe: LocalStripe, with_link: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = backups.take(world.db)
    await create(world, with_link)
    link = link_of(world, with_link).stripe_id
    async with restarted(world, backup) as after:
        await after.watching.poll_if_due()
        after.db.run(
            lambda session: session.execute(sa.text("UPDATE stripe_events SET lease_until = 4000000000000"))
        )
        assert await create(after, with_link) is LinkStatus.NOT_CREATED
        after.db.run(lambda session: session.execute(sa.text("UPDATE stripe_events SET lease_until = 0")))
        after.db.run(lambda session: session.execute(sa.text("UPDATE links SET next_attempt_at = 0")))
        await after.creation.run_due()
        assert link_of(after, with_link).stripe_id == link
    assert len(stripe.links()) == 2


async def test_nothing_is_asked_for_while_the_gap_cant_be_read(
    world: World, stripe: LocalStripe, with_link: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "AGAIN_AFTER", 0.0)
    async with restarted(world) as after:
        fault = stripe.faults.add(FaultKind.ERROR, times=None, path="/v1/events", status=500)
        before = len(stripe.requests)
        assert await create(after, with_link) is LinkStatus.NOT_CREATED
        assert "POST payment_links" not in asked(stripe, before)
        paused = (await after.desk.get_stripe_state(ADA)).paused
        assert paused is not None
        assert paused.reason is PauseReason.STRIPE_AWAY
        stripe.faults.remove(fault)
        after.db.run(lambda session: session.execute(sa.text("UPDATE links SET next_attempt_at = 0")))
        await after.creation.run_due()
        assert (await after.desk.get_invoice(ADA, with_link)).status is LinkStatus.PENDING_PAYMENT


async def test_a_key_that_may_not_read_events_reads_the_links(
    world: World, stripe: LocalStripe, with_link: int
) -> None:
    backup = backups.take(world.db)
    await create(world, with_link)
    stripe.add_key("rk_test_without_events", without={"rak_event_read"})
    backups.put_back(world.db, backup)
    async with made_world(world.db, stripe, owner="two", key="rk_test_without_events") as after:
        assert await create(after, with_link) is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == 2


async def test_a_link_that_stripe_never_shows_holds_up_the_others_for_half_a_minute_only(
    world: World, stripe: LocalStripe, with_link: int
) -> None:
    backup = backups.take(world.db)
    await create(world, make_invoice(world.db))
    lost = stripe.links()[-1]["id"]
    stripe.late.missing(lost, times=1_000)
    async with restarted(world, backup) as after:
        assert await create(after, with_link) is LinkStatus.NOT_CREATED
        for _ in range(6):
            after.db.run(
                lambda session: session.execute(sa.text("UPDATE stripe_events SET next_attempt_at = 0"))
            )
            await after.watching.settle_due()
        after.db.run(lambda session: session.execute(sa.text("UPDATE links SET next_attempt_at = 0")))
        await after.creation.run_due()
        assert (await after.desk.get_invoice(ADA, with_link)).status is LinkStatus.PENDING_PAYMENT


async def test_a_sweep_doesnt_hide_a_gap_that_events_no_longer_tell_of(
    world: World, stripe: LocalStripe, with_link: int
) -> None:
    """What it found is dated by the events, whose whole pass would count as one over the gap."""
    backup = backups.take(world.db)
    known = world.db.run(lambda session: session.scalars(sa.select(Link.stripe_id)).one())
    await create(world, with_link)
    pass_time(stripe, world, 40 * DAY)
    await pay(stripe, str(known))
    async with restarted(world, backup) as after:
        await after.watching.sweep_if_due()
        assert await create(after, with_link) is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == 2


async def test_links_are_paged_down_to_one_that_is_older_than_the_gap(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.stripe.client.PAGE", 2)
    for _ in range(5):
        await create(world, make_invoice(world.db))
    await world.see()
    pass_time(stripe, world, 40 * DAY)
    async with restarted(world) as after:
        # By the database's clock, which these tests don't move.
        old = sa.text("UPDATE links SET last_sent_at = last_sent_at - 3600000")
        after.db.run(lambda session: session.execute(old))
        before = len(stripe.requests)
        await create(after, make_invoice(after.db))
        assert asked(stripe, before) == ["GET payment_links", "POST payment_links"]
