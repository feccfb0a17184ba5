"""What the database says is known of Stripe is believed only as far as it can be so."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain.models import Ledger
from sandbox.stripe.server import LocalStripe
from tests.domain import backups
from tests.domain.factories import make_invoice
from tests.domain.payments.test_gaps import create, restarted
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
