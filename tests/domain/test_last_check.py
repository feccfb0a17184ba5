"""When Stripe was last checked is told with how long ago that is, by the clock that wrote it down."""

from datetime import timedelta

from domain.models import Ledger
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World


async def test_the_desk_tells_how_long_ago_it_was(world: World) -> None:
    invoice_id = make_invoice(world.db)
    checked = world.clock() - timedelta(hours=2)
    world.db.run(lambda s: setattr(s.get_one(Ledger, world.account.ledger_id), "last_checked_at", checked))
    found = await world.desk.find_details(ADA, (await world.desk.get_invoice(ADA, invoice_id)).number)
    assert found is not None
    for state in (
        (await world.desk.get_home(ADA)).stripe,
        (await world.desk.get_details(ADA, invoice_id)).stripe,
        await world.desk.get_stripe_state(ADA),
        found.stripe,
    ):
        assert state.is_late(waits=True)
