"""When a payment was made: its events tell; a session only tells when its page was opened, up to a day before."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from domain.models import Payment
from domain.money import Money
from domain.states import AnnouncementKind, LinkStatus
from domain.stripe.client import moment
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")


@pytest.fixture
async def link(world: World, stripe: LocalStripe) -> str:
    """Stripe's id of a link that waits for its payment."""
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-1"), SEEN, patience=PATIENCE)
    return str(stripe.links()[0]["id"])


async def paid_after(world: World, stripe: LocalStripe, link: str) -> datetime:
    """Pay five hours after the page was opened; return when."""
    session = await stripe.open_session(link)
    stripe.advance(5 * 3600)
    world.ahead = timedelta(hours=5)
    await stripe.pay(session["id"])
    event = next(one for one in stripe.objects("event") if one["type"] == "checkout.session.completed")
    return moment(event["created"])


async def test_what_the_sweep_finds_is_dated_by_when_it_was_paid_not_by_when_the_page_was_opened(
    world: World, stripe: LocalStripe, link: str
) -> None:
    paid_at = await paid_after(world, stripe, link)
    await world.watch.sweep_if_due(at_start=True)
    await world.watching.settle_due()
    await world.announcing.deliver_due()
    invoice = await world.desk.find_invoice(ADA, "INV-1")
    assert invoice is not None
    assert invoice.link is not None
    assert invoice.link.paid_at == paid_at
    assert world.db.run(lambda session: session.scalars(sa.select(Payment.paid_at)).one()) == paid_at
    assert [message.kind for message in world.poster.posted] == [AnnouncementKind.PAID]


async def test_a_sweep_ends_well_while_events_cannot_be_read_and_the_next_event_dates_what_it_found(
    world: World, stripe: LocalStripe, link: str
) -> None:
    paid_at = await paid_after(world, stripe, link)
    fault = stripe.faults.add(FaultKind.ERROR, path="/v1/events", times=None)
    assert await world.watch.sweep_if_due(at_start=True)
    invoice = await world.desk.find_invoice(ADA, "INV-1")
    assert invoice is not None
    assert invoice.status is LinkStatus.PAID
    stripe.faults.remove(fault)
    event = next(one for one in stripe.objects("event") if one["type"] == "checkout.session.completed")
    await world.watch.receive(event)
    await world.watching.settle_due()
    # A later duplicate of the event dates nothing anew.
    await world.watch.receive(event | {"id": "evt_again", "created": event["created"] + 100})
    await world.watching.settle_due()
    invoice = await world.desk.find_invoice(ADA, "INV-1")
    assert invoice is not None
    assert invoice.link is not None
    assert invoice.link.paid_at == paid_at
