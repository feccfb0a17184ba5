"""What the database says is known of Stripe is believed only as far as it can be so."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa

from domain.models import Ledger, Link
from domain.stripe.errors import StripeAway
from sandbox.stripe.server import LocalStripe
from tests.domain import backups
from tests.domain.factories import make_invoice
from tests.domain.payments.gaps import DAY, create, pass_time, restarted
from tests.domain.payments.test_unknown import link_of
from tests.domain.world import World


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=80)])
async def test_a_mark_that_a_wrong_clock_made_in_the_future_hides_no_link(
    world: World, stripe: LocalStripe, ahead: timedelta
) -> None:
    invoice_id = make_invoice(world.db)
    later = world.clock() + ahead
    world.db.run(lambda session: session.execute(sa.update(Ledger).values(polled_until=later)))
    backup = backups.take(world.db)
    await create(world, invoice_id)
    link = link_of(world, invoice_id)
    async with restarted(world, backup) as after:
        await create(after, invoice_id)
        assert link_of(after, invoice_id).stripe_id == link.stripe_id
    assert len(stripe.links()) == 1


async def test_a_look_that_its_process_didnt_live_to_end_is_begun_anew_by_the_next(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoices = [make_invoice(world.db) for _ in range(3)]
    backup = backups.take(world.db)
    for invoice_id in invoices:
        await create(world, invoice_id)
    # Neither the events nor the keys are known any more.
    pass_time(stripe, world, 40 * DAY)
    async with restarted(world, backup) as dying:
        fetch, asked = dying.api.get_payment_link, count()

        async def fetch_once(*args: Any, **how: Any) -> dict[str, Any]:
            if next(asked):
                raise StripeAway("it died")
            return await fetch(*args, **how)

        monkeypatch.setattr(dying.api, "get_payment_link", fetch_once)
        await dying.watching.poll_if_due()
        found = [link_of(dying, invoice_id) for invoice_id in invoices if has_link(dying, invoice_id)]
        assert len(found) == 1
    async with restarted(world) as after:
        # By then it has heard what time it is at Stripe.
        await after.api.get_account()
        for invoice_id in invoices:
            await create(after, invoice_id)
    assert len(stripe.links()) == 3


def has_link(world: World, invoice_id: int) -> bool:
    return world.db.run(
        lambda session: session.scalar(sa.select(Link.id).where(Link.invoice_id == invoice_id)) is not None
    )
