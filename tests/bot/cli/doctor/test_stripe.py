"""What the doctor finds out about Stripe, its key and its clock."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from domain.payments import event_reading, events
from domain.payments.many import unused
from tests.bot.cli.doctor.conftest import World
from tests.domain.factories import make_ledger, make_organisation


async def test_what_waits_for_stripe_and_what_it_sends_in_vain_is_told(world: World) -> None:
    db = world.prepared()
    make_organisation(db, "T0STRIPE")
    ledger, now = make_ledger(db), datetime.now(UTC)
    event = event_reading.Received("evt_1", "charge.dispute.created", "dp_1", None, now)
    db.run(events.keep, ledger, [event])
    db.run(events.wait_for, ledger, event, "missing", timedelta(hours=1))
    for days, told in ((1, "v1.customer.created"), (8, "invoice.paid")):
        db.run(unused.note_unused, ledger, told, now - timedelta(days=days))
    db.close_now()

    status, told = await world.examine()

    assert status == 0
    assert "! Stripe: it doesn't show yet what 1 of its events tell (1 missing)." in told
    assert "! Webhook: Stripe sends events that Paylink has no use for: v1.customer.created." in told


async def test_what_the_key_may_not_read_of_stripes_events_is_named(world: World) -> None:
    db = world.prepared()
    make_organisation(db, "T0STRIPE")
    ledger, now = make_ledger(db), datetime.now(UTC)
    for number, told in enumerate(("charge.dispute.created", "charge.dispute.updated", "refund.created")):
        event = event_reading.Received(
            f"evt_{number}", told, "ch_1", "pi_1", now, team_id="T0STRIPE", thin=True
        )
        db.run(events.keep, ledger, [event])
        db.run(events.hold, ledger, event, "forbidden", timedelta(hours=1))
    db.close_now()

    status, told = await world.examine()

    assert status == 1
    assert "✗ Stripe: the key may not read what 3 of its events tell of: refunds, disputes." in told
    assert "(Charges and Refunds: Read, Disputes: Read)" in told
    assert "doesn't show yet" not in told


@pytest.mark.parametrize(("seconds", "told"), [(1800, "behind"), (-1800, "ahead of"), (30, None)])
async def test_a_clock_that_differs_from_stripes_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: int, told: str | None
) -> None:
    monkeypatch.setattr(world.stripe, "_clock", lambda: time.time() + seconds)
    status, printed = await world.examine()
    assert status == 0
    assert ("! Clock" in printed) is (told is not None)
    if told:
        assert f"this machine's is 30 minutes {told} Stripe's" in printed


async def test_the_account_and_mode_are_told_or_the_permission_that_tells(world: World) -> None:
    _, told = await world.examine()
    assert f"✓ Stripe: the key is of the account {world.stripe.account} in test mode." in told

    world.stripe.add_key("rk_test_aaaaaaaaaaaaaaaa", without={"rak_accounts_kyc_basic_read"})
    status, told = await world.examine(STRIPE_API_KEY="rk_test_aaaaaaaaaaaaaaaa")
    assert status == 0
    assert "! Stripe: the key may not read which account it is of (test mode)." in told
    assert "rak_accounts_kyc_basic_read" in told


@pytest.mark.parametrize("http_status", [200, 403, 404])
async def test_what_answers_in_stripes_place_is_told(http_status: int, world: World) -> None:
    world.stripe.faults.add("garbled", times=None, status=http_status)

    status, told = await world.examine()

    assert status == 1
    assert "✗ Stripe: what answers isn't Stripe" in told


async def test_a_key_without_permissions_is_told_which_it_lacks(world: World) -> None:
    world.stripe.add_key(
        "rk_test_little",
        permissions=[
            "rak_payment_link_read",
            "rak_checkout_session_read",
            "rak_event_read",
            "rak_dispute_read",
        ],
    )

    status, told = await world.examine(STRIPE_API_KEY="rk_test_little")

    assert status == 1
    assert "✗ Stripe: the key lacks permissions: Payment Links: Write, Charges and Refunds: Read." in told


async def test_a_key_that_stripe_refuses_is_told(world: World) -> None:
    status, told = await world.examine(STRIPE_API_KEY="sk_test_unknown")

    assert status == 1
    assert "✗ Stripe: it refuses STRIPE_API_KEY" in told
    assert "sk_test_unknown" not in told


async def test_probing_the_key_makes_nothing_at_stripe(world: World) -> None:
    await world.examine()

    assert world.stripe.links() == []
