"""The operator is told once that Stripe's account can't be told, and once that it can."""

import structlog

from domain.database import Database
from sandbox.stripe.server import LocalStripe
from tests.domain.world import World


async def test_a_key_that_stripe_refuses_is_logged_when_it_begins_and_when_it_ends(
    db: Database, stripe: LocalStripe
) -> None:
    world = World(db, stripe, key="sk_test_late")
    await world.open()
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            assert not await world.account.settle()
        stripe.add_key("sk_test_late")
        for _ in range(2):
            assert await world.account.settle()
    await world.api.close()

    assert logs == [
        {"event": "stripe.paused", "log_level": "warning", "reason": "key_refused", "permission": None},
        {"event": "stripe.resumed", "log_level": "info"},
    ]


async def test_another_reason_is_another_line(db: Database, stripe: LocalStripe) -> None:
    world = World(db, stripe, key="sk_test_late")
    await world.open()
    with structlog.testing.capture_logs() as logs:
        outage = stripe.faults.outage()
        await world.account.settle()
        stripe.faults.remove(outage)
        await world.account.settle()
    await world.api.close()

    assert [line["reason"] for line in logs] == ["stripe_away", "key_refused"]


async def test_a_key_that_stripe_takes_at_once_is_no_news(db: Database, stripe: LocalStripe) -> None:
    world = World(db, stripe)
    await world.open()
    with structlog.testing.capture_logs() as logs:
        assert await world.account.settle()
    await world.api.close()

    assert logs == []
