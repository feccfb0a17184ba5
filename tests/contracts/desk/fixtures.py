"""One desk twice: the real one on a database and the local Stripe, and the fake that the handlers' tests work with."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.desk import Desk
from domain.invoices.eligibility import ineligible_because
from domain.models import Invoice, Organisation
from domain.money import Money
from domain.states import Right, Standing
from domain.summaries import Actor
from sandbox.stripe.api.rate import RateLimits
from sandbox.stripe.faults.rules import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import TEAM, make_invoice, make_organisation
from tests.domain.world import World, world
from tests.handlers.fake_desk import FakeDesk
from tests.handlers.samples import TEAM as FAKE_TEAM
from tests.handlers.samples import invoice

END_OF_MONTH = date(2026, 11, 30)
DOLLARS = Money(120_050, "USD")
ONE_CENT = Money(1, "USD")
"""Less than Stripe takes."""


@dataclass(frozen=True)
class Billed:
    """What a test says of an invoice; their ids are 1, 2, 3 in the order given."""

    number: str
    amount: Money = DOLLARS
    due_date: date | None = END_OF_MONTH
    buyer_name: str = "Acme Corporation"


class Office(Protocol):
    """A desk, the person at it, and what happens besides."""

    ann: Actor

    @property
    def desk(self) -> Desk | FakeDesk: ...

    def bill(self, *invoices: Billed) -> None: ...

    def change_amount(self, invoice_id: int, amount: Money) -> None: ...

    def withdraw_add_on(self) -> None: ...

    def let_administer(self, may: bool = True) -> None:
        """Whether ann is one of her workspace's admins."""

    async def settle(self, *, for_good: bool = True) -> None:
        """Stripe answers for everything that is being created; it refuses ONE_CENT, or what may be less the next time."""


class FakeOffice:
    def __init__(self) -> None:
        self.desk = FakeDesk()
        self.ann = Actor(FAKE_TEAM, "U0ANNA")

    def bill(self, *invoices: Billed) -> None:
        for number, one in enumerate(invoices, start=1):
            self.desk.invoices[number] = invoice(
                number, one.number, amount=one.amount, due_date=one.due_date, buyer_name=one.buyer_name
            )

    def change_amount(self, invoice_id: int, amount: Money) -> None:
        one = self.desk.invoices[invoice_id]
        self.desk.invoices[invoice_id] = replace(one, amount=amount, reason=ineligible_because(amount, None))

    def withdraw_add_on(self) -> None:
        self.desk.organisation = replace(self.desk.organisation, add_on=False)

    def let_administer(self, may: bool = True) -> None:
        self.desk.rights = frozenset(Right) if may else frozenset(Right) - {Right.SETTINGS}

    async def settle(self, *, for_good: bool = True) -> None:
        cents = [one.id for one in self.desk.invoices.values() if one.amount == ONE_CENT]
        for run in list(self.desk.runs):
            said = dict.fromkeys(cents, "Stripe takes no less than 50 cents.")
            self.desk.finish(run, failed=said, for_good=for_good)


class RealOffice:
    def __init__(self, world: World) -> None:
        self.desk = world.desk
        self.ann = Actor(TEAM, "U0ANNA")
        self._world = world
        make_organisation(world.db)

    def bill(self, *invoices: Billed) -> None:
        for one in invoices:
            make_invoice(
                self._world.db,
                one.number,
                amount=one.amount.amount,
                currency=one.amount.currency,
                due_date=one.due_date,
                buyer_name=one.buyer_name,
            )

    def change_amount(self, invoice_id: int, amount: Money) -> None:
        def change(session: Session) -> None:
            found = session.get_one(Invoice, invoice_id)
            found.amount, found.currency = amount.amount, amount.currency

        self._world.db.run(change)

    def withdraw_add_on(self) -> None:
        self._world.db.run(lambda session: session.execute(sa.update(Organisation).values(add_on=False)))

    def let_administer(self, may: bool = True) -> None:
        standing = Standing.ADMINISTRATOR if may else Standing.MEMBER
        self._world.people.standings[self.ann.user_id] = standing

    async def settle(self, *, for_good: bool = True) -> None:
        if not for_good:
            self._world.stripe.faults.add(FaultKind.CODED, method="POST", status=400, code="account_invalid")
        await self._world.creation.run_due()
        await self._world.creation.finish()


@pytest.fixture(params=["fake", "real"])
async def office(request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    if request.param == "fake":
        yield FakeOffice()
        return
    db = Database(request.getfixturevalue("sqlite_url"))
    try:
        async with (
            LocalStripe(limits=RateLimits(live=None, test=None, endpoint=None)) as stripe,
            world(db, stripe) as one,
        ):
            stripe.rules.least_checked = "creation"
            yield RealOffice(one)
    finally:
        db.close_now()
