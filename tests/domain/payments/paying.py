"""A link that waits, its payment, and what is shown and told of it."""

from typing import Any

import pytest

from domain.money import Money
from domain.states import AnnouncementKind, ExceptionKind
from domain.summaries import InvoiceSummary
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


async def pay(stripe: LocalStripe, link: str, **how: Any) -> dict[str, Any]:
    session = await stripe.open_session(link)
    return await stripe.pay(session["id"], **how)


async def shown(world: World) -> InvoiceSummary:
    found = await world.desk.find_invoice(ADA, "inv-1 ")
    assert found is not None
    return found


def told(world: World) -> list[tuple[AnnouncementKind, ExceptionKind | None]]:
    return [
        (message.kind, message.exception.kind if message.exception else None)
        for message in world.poster.posted
    ]
