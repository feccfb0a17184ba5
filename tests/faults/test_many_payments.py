"""Three processes see many payments by webhook, poll and sweep together: none is doubled, and all are posted."""

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import ParamSpec

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.errors import DatabaseUnavailable
from domain.messages import announcing, transactions
from domain.models import OutboxMessage, Payment
from domain.money import Money
from domain.payments.event_reading import TYPES
from sandbox.stripe.server import LocalStripe
from tests.domain import world as worlds
from tests.domain.conftest import stripe
from tests.domain.factories import make_invoice
from tests.domain.world import ADA
from tests.patience import PATIENCE

__all__ = ["stripe"]

P = ParamSpec("P")
PAYMENTS = 1000 if os.environ.get("PAYLINK_MODEL") == "long" else 100
SEEN = Money(120_050, "USD")


async def as_long_as_the_database_is_busy(
    work: Callable[P, Awaitable[object]], *args: P.args, **kwargs: P.kwargs
) -> None:
    """Again, as Stripe delivers again and workers begin again."""
    while True:
        try:
            await work(*args, **kwargs)
        except DatabaseUnavailable:
            await asyncio.sleep(0.1)
        else:
            return


@pytest.mark.postgres
@pytest.mark.timeout(900)
async def test_each_is_recorded_and_posted_once(
    postgresql_url: str, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "ONE_A_SECOND", timedelta(0))
    monkeypatch.setattr(transactions, "LEAST_APART", 0.0)
    async with AsyncExitStack() as stack:
        three = []
        for owner in ("one", "two", "three"):
            db = Database(postgresql_url)
            stack.push_async_callback(db.close)
            three.append(await stack.enter_async_context(worlds.world(db, stripe, owner=owner)))
        first = three[0]
        for _ in range(PAYMENTS):
            await first.desk.create_link(ADA, make_invoice(first.db), SEEN, patience=PATIENCE)
        for link in stripe.links():
            await stripe.pay((await stripe.open_session(link["id"]))["id"])
        events = [event for event in stripe.objects("event") if event["type"] in TYPES]
        turns = itertools.cycle(three)

        async def deliver_webhooks() -> None:
            # Each twice, to whichever process the load balancer chooses.
            for event in events * 2:
                await as_long_as_the_database_is_busy(next(turns).watch.receive, event)

        await asyncio.gather(
            deliver_webhooks(),
            *(as_long_as_the_database_is_busy(one.watching.poll_if_due) for one in three),
            *(as_long_as_the_database_is_busy(one.watch.sweep_if_due, at_start=True) for one in three),
            *(as_long_as_the_database_is_busy(one.watching.settle_due) for one in three),
        )
        await asyncio.gather(*(as_long_as_the_database_is_busy(one.watching.settle_due) for one in three))
        await asyncio.gather(*(as_long_as_the_database_is_busy(one.announcing.deliver_due) for one in three))

        recorded = first.db.run(lambda session: list(session.scalars(sa.select(Payment.verdict))))
        assert recorded == ["paid"] * PAYMENTS
        states = first.db.run(lambda session: list(session.scalars(sa.select(OutboxMessage.state))))
        assert states == ["posted"] * PAYMENTS
        posted = [message for one in three for message in one.poster.posted]
        assert len({message.key for message in posted}) == len(posted)
        # Those that wait together are told in one message.
        told = [
            each.invoice.id for message in posted for each in (message, *message.together) if each.invoice
        ]
        assert len(told) == len(set(told)) == PAYMENTS
