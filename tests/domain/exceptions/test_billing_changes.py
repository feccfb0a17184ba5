"""What an import changes while a link is being created or paid is neither missed nor left open."""

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.links import claiming
from domain.models import OutboxMessage
from domain.money import Money
from domain.states import AnnouncementKind, ExceptionKind, LinkState, LinkStatus
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import NOW, make_invoice, make_link
from tests.domain.files.test_import_exceptions import imported, line, opens
from tests.domain.world import ADA, World
from tests.patience import PATIENCE


@pytest.fixture
def reserved(db: Database) -> int:
    return make_link(db, make_invoice(db, "INV-1", amount=100), state=LinkState.RESERVED)


def created(db: Database, link_id: int) -> None:
    assert db.run(claiming.record_created, link_id, "plink_1", "https://buy.stripe.test/1", NOW, NOW)


def test_what_an_import_changes_while_the_link_is_reserved_is_told_when_it_is_created(
    db: Database, reserved: int
) -> None:
    imported(db, line(1, 250, "void"))
    assert opens(db) == []
    created(db, reserved)
    assert [(one.kind, one.amount, one.facts.state) for one in opens(db)] == [
        (ExceptionKind.AMOUNT_CHANGED, Money(250, "USD"), ""),
        (ExceptionKind.SETTLED_ELSEWHERE, Money(100, "USD"), "void"),
    ]
    messages = db.run(lambda session: list(session.scalars(sa.select(OutboxMessage))))
    assert [(one.kind, one.batch) for one in messages] == [(AnnouncementKind.EXCEPTION, None)] * 2


def test_a_link_that_asks_for_what_its_invoice_says_is_no_exception(db: Database, reserved: int) -> None:
    created(db, reserved)
    assert opens(db) == []


async def test_a_payment_ends_what_was_open_about_what_its_link_asks_for(
    world: World, stripe: LocalStripe
) -> None:
    seen = Money(100, "USD")
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-1", amount=100), seen, patience=PATIENCE)
    imported(world.db, line(1, 250, "settled"))
    assert len(opens(world.db)) == 2
    await stripe.pay(str(stripe.links()[0]["id"]))
    for event in stripe.objects("event"):
        await world.watch.receive(event)
    await world.watching.settle_due()
    invoice = await world.desk.find_invoice(ADA, "INV-1")
    assert invoice is not None
    assert invoice.status is LinkStatus.PAID
    assert opens(world.db) == []
