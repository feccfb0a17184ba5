"""What handlers count on when links are created in bulk, of the real desk and of the fake one."""

import pytest

from domain.errors import (
    AmountsChanged,
    NotEligible,
    NothingSelected,
    SelectionChanged,
)
from domain.money import Money
from domain.reasons import Reason
from domain.states import Outcome
from domain.summaries import BulkResult
from tests.contracts.desk.fixtures import DOLLARS, ONE_CENT, Billed, Office, office
from tests.contracts.desk.test_desk import NOTHING, THREE
from tests.contracts.desk.test_lists import ticked
from tests.domain.factories import PAGE
from tests.patience import PATIENCE

__all__ = ["office"]


async def run(office: Office, selection_id: int, submission: str = "create:V1") -> BulkResult:
    seal = (await office.desk.confirm(office.ann, selection_id)).seal
    return await office.desk.start_run(
        office.ann, selection_id, seal=seal, submission=submission, view_id="V1"
    )


async def test_a_confirmation_totals_each_currency_and_says_what_is_skipped(office: Office) -> None:
    office.bill(Billed("A"), Billed("B"), Billed("C", amount=Money(99, "EUR")), Billed("D", amount=DOLLARS))
    selection_id = await ticked(office, 1, 2, 3, 4)
    office.change_amount(4, NOTHING)
    await office.desk.create_link(office.ann, 2, DOLLARS, patience=PATIENCE)
    confirmed = await office.desk.confirm(office.ann, selection_id)
    assert sorted(one.id for one in confirmed.targets) == [1, 3]
    assert 2 in {one.id for one in confirmed.skipped}
    assert confirmed.totals == (Money(99, "EUR"), DOLLARS)
    assert (confirmed.selection_id, confirmed.livemode, confirmed.changed) == (selection_id, False, ())


async def test_nothing_ticked_is_nothing_to_confirm(office: Office) -> None:
    office.bill(*THREE)
    with pytest.raises(NothingSelected):
        await office.desk.confirm(office.ann, await ticked(office))


async def test_without_the_add_on_nothing_is_confirmed(office: Office) -> None:
    office.bill(*THREE)
    selection_id = await ticked(office, 1)
    office.withdraw_add_on()
    with pytest.raises(NotEligible) as refused:
        await office.desk.confirm(office.ann, selection_id)
    assert refused.value.reason is Reason.ADD_ON_MISSING


async def test_a_run_creates_what_is_ticked_and_the_same_submission_begins_one(office: Office) -> None:
    office.bill(*THREE)
    selection_id = await ticked(office, 1, 2)
    begun = await run(office, selection_id)
    assert (begun.requested_by, begun.view_id, begun.final) == ("U0ANNA", "V1", False)
    assert {item.outcome for item in begun.items} == {Outcome.BEING_CREATED}
    again = await office.desk.start_run(
        office.ann, selection_id, seal="", submission="create:V1", view_id="V1"
    )
    assert again.id == begun.id
    assert await office.desk.list_unfinished_runs() == [(office.ann, begun.id, "V1")]
    await office.settle()
    done = await office.desk.get_result(office.ann, begun.id)
    assert (done.final, done.count(Outcome.CREATED)) == (True, 2)
    assert all(item.url for item in done.items)
    assert await office.desk.list_unfinished_runs() == []
    with pytest.raises(NothingSelected):
        await office.desk.retry_failed(office.ann, begun.id, submission="retry", view_id="V1")


async def test_a_run_skips_what_got_its_link_meanwhile(office: Office) -> None:
    office.bill(*THREE)
    selection_id = await ticked(office, 1, 2)
    seal = (await office.desk.confirm(office.ann, selection_id)).seal
    await office.desk.create_link(office.ann, 1, DOLLARS, patience=PATIENCE)
    begun = await office.desk.start_run(
        office.ann, selection_id, seal=seal, submission="create:V1", view_id="V1"
    )
    outcomes = {item.invoice_id: (item.outcome, item.reason) for item in begun.items}
    assert outcomes == {
        1: (Outcome.SKIPPED, Reason.PENDING_PAYMENT),
        2: (Outcome.BEING_CREATED, None),
    }


async def test_a_run_of_other_ticks_or_amounts_than_confirmed_doesnt_begin(office: Office) -> None:
    office.bill(*THREE)
    selection_id = await ticked(office, 1, 2)
    seal = (await office.desk.confirm(office.ann, selection_id)).seal
    start = office.desk.start_run
    await office.desk.untick(office.ann, selection_id, invoice_id=2, shape=PAGE)
    with pytest.raises(SelectionChanged):
        await start(office.ann, selection_id, seal=seal, submission="create:V1", view_id="V1")
    seal = (await office.desk.confirm(office.ann, selection_id)).seal
    office.change_amount(1, Money(7, "USD"))
    with pytest.raises(AmountsChanged) as changed:
        await start(office.ann, selection_id, seal=seal, submission="create:V1", view_id="V1")
    assert changed.value.numbers == ("INV-1",)
    assert (await office.desk.confirm(office.ann, selection_id)).changed == ("INV-1",)


async def test_what_failed_can_be_tried_again_in_the_same_view(office: Office) -> None:
    office.bill(*THREE, Billed("INV-4", amount=ONE_CENT))
    begun = await run(office, await ticked(office, 4))
    await office.settle(for_good=False)
    failed = await office.desk.get_result(office.ann, begun.id)
    assert (failed.final, failed.count(Outcome.FAILED)) == (True, 1)
    assert not failed.items[0].refused_for_good
    assert failed.items[0].refusal
    assert [one.id for one in (await office.desk.confirm_failed(office.ann, begun.id)).targets] == [4]
    again = await office.desk.retry_failed(office.ann, begun.id, submission="retry", view_id="V1")
    assert again.id != begun.id
    assert await office.desk.is_followed(office.ann, begun.id, "V1")
    assert not await office.desk.is_followed(office.ann, again.id, "V1")
    await office.settle()
    failed = await office.desk.get_result(office.ann, again.id)
    # Not the same amount a third time, which Stripe never takes.
    assert (failed.count(Outcome.FAILED), failed.items[0].refused_for_good) == (1, True)
    with pytest.raises(NothingSelected):
        await office.desk.retry_failed(office.ann, again.id, submission="retry again", view_id="V1")


async def test_a_retry_over_another_amount_doesnt_begin(office: Office) -> None:
    office.bill(*THREE, Billed("INV-4", amount=ONE_CENT))
    begun = await run(office, await ticked(office, 4))
    await office.settle()
    office.change_amount(4, Money(7, "USD"))
    with pytest.raises(AmountsChanged):
        await office.desk.retry_failed(office.ann, begun.id, submission="retry", view_id="V1")
