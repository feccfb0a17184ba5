"""A gap in what is known of Stripe is read before the next link, with as few requests as it takes."""

import pytest
import sqlalchemy as sa

from domain.models import Link
from domain.payments import gaps
from domain.states import LinkStatus, PauseReason
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain import backups
from tests.domain.factories import make_invoice
from tests.domain.payments.gaps import DAY, asked, create, pass_time, restarted, with_link
from tests.domain.payments.test_unknown import link_of, pay
from tests.domain.world import ADA, World
from tests.domain.world import world as made_world

__all__ = ["with_link"]


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
