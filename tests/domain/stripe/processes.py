"""Processes that serve organisations by the keys that these connected."""

from collections.abc import AsyncIterator

import pytest

from domain.database import Database
from domain.money import Money
from domain.organisations import organisations, stripe_keys
from domain.secrets.box import Box, new_key
from domain.states import LinkStatus
from domain.stripe.accounts import Accounts
from domain.stripe.client import StripeApi
from domain.stripe.stored_keys import StoredKeys
from domain.summaries import Actor
from sandbox.stripe.server import LocalStripe
from tests.domain.world import World, patient_api
from tests.patience import PATIENCE

BOX = Box([new_key()])
SEEN = Money(120_050, "USD")
EVE = Actor("T0EVE", "U0EVE")


class Process(World):
    """One of several that serve all organisations by the keys that they connected."""

    def __init__(self, db: Database, stripe: LocalStripe, owner: str) -> None:
        super().__init__(db, stripe, owner=owner)
        self.made: list[str] = []

    def make_accounts(self) -> Accounts:
        return Accounts(self.db, clock=self.clock, stored=StoredKeys(BOX, self._make_api))

    def _make_api(self, key: str) -> StripeApi:
        self.made.append(key)
        api = patient_api(key, self.stripe, self.clock)
        self.apis.append(api)
        return api


@pytest.fixture
async def processes(db: Database, stripe: LocalStripe) -> AsyncIterator[tuple[Process, Process]]:
    db.run(organisations.ensure, EVE.team_id, "Eve", "C0EVE")
    both = Process(db, stripe, "one"), Process(db, stripe, "two")
    yield both
    for one in both:
        await one.creation.finish()
        for api in one.apis:
            await api.close()


def connect(db: Database, key: str) -> None:
    db.run(stripe_keys.store, BOX, EVE.team_id, key, by="U0EVE")


async def look(*processes: Process) -> None:
    for one in processes:
        await one.accounts.look()
        await one.accounts.settle()


async def create(process: Process, invoice_id: int) -> LinkStatus:
    return (await process.desk.create_link(EVE, invoice_id, SEEN, patience=PATIENCE)).status
