"""Processes with keys of one account or another, some of which may not read whose they are."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.models import Ledger, Link
from domain.money import Money
from domain.states import LinkStatus
from domain.stripe.ledgers.candidates import LOST_AFTER
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")
ACCOUNT = "rak_accounts_kyc_basic_read"
A, B = "sk_test_aaaaaaaaaaaaaaaa", "sk_test_bbbbbbbbbbbbbbbb"
A_RESTRICTED, B_RESTRICTED = "rk_test_aaaaaaaaaaaaaaaa", "rk_test_bbbbbbbbbbbbbbbb"
A_ROLLED = "rk_test_aaaaaaaaaaaaaaa2"


@pytest.fixture(autouse=True)
def keys(stripe: LocalStripe) -> None:
    stripe.add_key(A)
    stripe.add_key(B, account="acct_b")
    for name in (A_RESTRICTED, A_ROLLED):
        stripe.add_key(name, without={ACCOUNT})
    stripe.add_key(B_RESTRICTED, account="acct_b", without={ACCOUNT})


@asynccontextmanager
async def serving(db: Database, stripe: LocalStripe, key: str) -> AsyncIterator[World]:
    """A process with this key, to be started."""
    world = World(db, stripe, owner=key[-4:], key=key)
    try:
        yield world
    finally:
        await world.creation.finish()
        for api in world.apis:
            await api.close()


@asynccontextmanager
async def started(db: Database, stripe: LocalStripe, key: str) -> AsyncIterator[World]:
    """A process with this key, from its start to its end."""
    async with serving(db, stripe, key) as world:
        yield await world.start()


def answering(answer: dict[str, str]) -> Callable[..., Awaitable[dict[str, str]]]:
    async def answered(*_: object) -> dict[str, str]:
        return answer

    return answered


async def create(world: World, invoice_id: int = 1) -> None:
    await world.desk.create_link(ADA, invoice_id, SEEN, patience=PATIENCE)


async def lose(world: World, stripe: LocalStripe) -> None:
    """Create a link of which the answer doesn't come."""
    stripe.faults.add(FaultKind.LOST, method="POST", path="/v1/payment_links")
    await create(world)
    assert len(stripe.links()) == 1


def long_ago(db: Database) -> None:
    """What was sent was sent before LOST_AFTER."""
    then = datetime.now(UTC) - 2 * LOST_AFTER
    sent = sa.update(Link).values(first_sent_at=then, last_sent_at=then, look_first=True)
    db.run(lambda session: session.execute(sent.values(next_attempt_at=then)))


async def status(world: World, invoice_id: int = 1) -> LinkStatus:
    return (await world.desk.get_invoice(ADA, invoice_id)).status


def accounts(db: Database) -> list[str | None]:
    return db.run(lambda session: list(session.scalars(sa.select(Ledger.account).order_by(Ledger.id))))
