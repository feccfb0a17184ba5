"""A bulk run starts with what was confirmed, or it doesn't start."""

import pytest
import sqlalchemy as sa

from domain.errors import (
    AmountsChanged,
    SelectionChanged,
    SelectionNotFound,
)
from domain.models import Invoice
from domain.money import Money
from domain.reasons import Reason
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import PAGE, make_invoice
from tests.domain.links.test_bulk import finished, run, ticked
from tests.domain.world import ADA, BEN, World
from tests.patience import PATIENCE


async def test_what_became_ineligible_is_skipped_with_its_reason(world: World) -> None:
    first, second = make_invoice(world.db), make_invoice(world.db)
    selection = await ticked(world, 2)
    await world.desk.create_link(BEN, first, Money(120_050, "USD"), patience=PATIENCE)
    confirmation = await world.desk.confirm(ADA, selection)
    assert [invoice.id for invoice in confirmation.targets] == [second]
    assert [invoice.id for invoice in confirmation.skipped] == [first]
    assert confirmation.totals == (Money(120_050, "USD"),)
    result = await world.desk.start_run(ADA, selection, seal=confirmation.seal, submission="V1", view_id=None)
    assert {item.invoice_id: item.reason for item in result.items} == {
        first: Reason.PENDING_PAYMENT,
        second: None,
    }


async def test_amounts_that_changed_since_the_confirmation_start_nothing(
    world: World, stripe: LocalStripe
) -> None:
    make_invoice(world.db, "INV-7")
    selection = await ticked(world, 1)
    seal = (await world.desk.confirm(ADA, selection)).seal
    world.db.run(lambda session: session.execute(sa.update(Invoice).values(amount=99)))
    with pytest.raises(AmountsChanged) as changed:
        await world.desk.start_run(ADA, selection, seal=seal, submission="V1", view_id=None)
    assert changed.value.numbers == ("INV-7",)
    confirmation = await world.desk.confirm(ADA, selection)
    assert confirmation.changed == ("INV-7",)
    result = await world.desk.start_run(ADA, selection, seal=confirmation.seal, submission="V1", view_id=None)
    await finished(world, result)
    assert stripe.links()[0]["metadata"]["invoice_number"] == "INV-7"


async def test_a_tick_that_comes_late_starts_nothing_that_was_not_confirmed(world: World) -> None:
    make_invoice(world.db)
    make_invoice(world.db)
    selection = await ticked(world, 2)
    seal = (await world.desk.confirm(ADA, selection)).seal
    await world.desk.tick(
        ADA, selection, revision=1, displayed={1, 2}, ticked={1}, acted_at="1.000002", opened_with=None
    )
    with pytest.raises(SelectionChanged):
        await world.desk.start_run(ADA, selection, seal=seal, submission="V1", view_id=None)
    assert (await world.desk.confirm(ADA, selection)).seal != seal


async def test_a_submissions_ticks_count_whatever_the_list_became_meanwhile(world: World) -> None:
    make_invoice(world.db)
    make_invoice(world.db)
    selection = await ticked(world, 1)
    await world.desk.clear_selection(ADA, selection, shape=PAGE)
    await world.desk.tick(
        ADA, selection, revision=1, displayed={1, 2}, ticked={2}, acted_at="", opened_with=None
    )
    assert [one.id for one in (await world.desk.confirm(ADA, selection)).targets] == [2]


async def test_a_submission_that_is_repeated_after_its_run_ticks_nothing_in_the_list_that_comes_back(
    world: World,
) -> None:
    make_invoice(world.db)
    selection = await ticked(world, 1)
    await run(world, selection)
    fresh = await world.desk.refresh_list(ADA, selection, shape=PAGE)
    assert fresh.selection.revision > 1, "with the same block ids Slack would keep what was ticked"
    await world.desk.tick(
        ADA, selection, revision=1, displayed={1}, ticked={1}, acted_at="", opened_with=None
    )
    shown = await world.desk.show_list(ADA, fresh.selection.id, shape=PAGE)
    assert shown.selection.ticked == frozenset()
    with pytest.raises(SelectionNotFound):
        await world.desk.refresh_list(BEN, selection, shape=PAGE)


async def test_a_submission_before_the_list_is_drawn_again_takes_nothing_away(world: World) -> None:
    for _ in range(3):
        make_invoice(world.db)
    selection = await ticked(world, 1)
    await world.desk.select_page(ADA, selection, shape=PAGE)
    await world.desk.tick(
        ADA, selection, revision=1, displayed={1, 2, 3}, ticked={1}, acted_at="", opened_with=None
    )
    assert [one.id for one in (await world.desk.confirm(ADA, selection)).targets] == [1, 2, 3]
