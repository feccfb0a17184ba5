"""Processes that went away for a while, and databases that were put back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from domain.money import Money
from domain.states import LinkStatus
from sandbox.stripe.server import LocalStripe
from tests.domain import backups
from tests.domain.backups import Backup
from tests.domain.factories import make_invoice
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
