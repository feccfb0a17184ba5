"""The Stripes of more organisations hang than are worked for at once: the others' links are made and their payments seen."""

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.coordination import side_by_side
from domain.money import Money
from domain.payments import watching
from domain.states import LinkStatus
from sandbox.stripe.api.rate import RateLimits
from sandbox.stripe.faults.rules import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.databases import on_sqlite
from tests.domain.factories import make_invoice
from tests.domain.test_two_organisations import completed, pay, start_run
from tests.domain.world import ADA, Tenant, World
from tests.patience import PATIENCE

pytestmark = on_sqlite

SEEN = Money(120_050, "USD")
AT_ONCE, HANGING = 2, 3


@pytest.fixture
async def elsewhere(world: World) -> AsyncIterator[tuple[list[Tenant], LocalStripe]]:
    """Organisations whose Stripe fails by itself."""
    async with LocalStripe(
        account="acct_0", limits=RateLimits(live=None, test=None, endpoint=None)
    ) as stripe:
        keys = [stripe.add_key(f"sk_test_{n}", account=f"acct_{n}").secret for n in range(HANGING)]
        yield (
            [await world.serve(f"T0OTHER{n}", key=key, stripe=stripe) for n, key in enumerate(keys)],
            stripe,
        )


@pytest.mark.parametrize("kind", ["poll", "settle", "create"])
async def test_more_that_hang_than_places_hold_up_nobody(
    world: World,
    stripe: LocalStripe,
    elsewhere: tuple[list[Tenant], LocalStripe],
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    by_default = side_by_side.for_each.__kwdefaults__
    assert by_default is not None
    monkeypatch.setitem(by_default, "at_once", AT_ONCE)
    monkeypatch.setitem(by_default, "again", 0.05)
    monkeypatch.setattr(watching, "AT_ONCE", AT_ONCE)
    monkeypatch.setattr(watching, "LOOK_AGAIN", 0.05)
    others, their_stripe = elsewhere
    mine = make_invoice(world.db, "INV-1")
    await world.desk.create_link(ADA, mine, SEEN, patience=PATIENCE)
    for n, other in enumerate(others):
        theirs = make_invoice(world.db, "INV-1", organisation_id=other.id)
        await world.desk.create_link(other.actor, theirs, SEEN, patience=PATIENCE)
        if kind == "settle":
            await pay(their_stripe, f"acct_{n}")
            await world.watching.receive(other.id, completed_at(their_stripe, n))
    hanging = their_stripe.faults.add(FaultKind.SLOW, times=None, path="*", seconds=math.inf)
    if kind == "create":
        for other in others:
            await start_run(world, other.actor, make_invoice(world.db, "INV-2", organisation_id=other.id))
    work = {
        "poll": world.watching.poll_if_due,
        "settle": world.watching.settle_due,
        "create": world.creation.run_due,
    }[kind]
    working = asyncio.create_task(work())
    async with asyncio.timeout(PATIENCE):
        while hanging.fired < HANGING:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    # They are all waited for, and have taken all places.
    if kind == "create":
        later = make_invoice(world.db, "INV-2")
        await start_run(world, ADA, later)
        await reaches(world, later, LinkStatus.PENDING_PAYMENT)
    else:
        await pay(stripe)
        if kind == "settle":
            await world.watching.receive(world.organisation_id, completed(stripe))
            await reaches(world, mine, LinkStatus.PAID)
        else:
            settling = asyncio.create_task(settle_on(world))
            await reaches(world, mine, LinkStatus.PAID)
            settling.cancel()
    assert not working.done()
    their_stripe.faults.remove(hanging)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def reaches(world: World, invoice_id: int, status: LinkStatus) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await world.desk.get_invoice(ADA, invoice_id)).status is not status:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def settle_on(world: World) -> None:
    """What the poll finds, as the worker does."""
    while True:
        await world.watching.settle_due()
        await asyncio.sleep(0.01)


def completed_at(stripe: LocalStripe, n: int) -> dict[str, Any]:
    found = stripe.objects("event", account=f"acct_{n}")
    (event,) = [one for one in found if one["type"] == "checkout.session.completed"]
    return event
