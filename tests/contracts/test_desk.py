"""What handlers count on from a desk, on the real one and on the fake that their tests work with."""

import inspect
from dataclasses import replace
from datetime import date

import pytest

from domain.desk import Desk
from domain.desks.programs import ProgramDesk
from domain.errors import (
    AmountChanged,
    AmountsChanged,
    InvoiceNotFound,
    LedgerChanged,
    NotAllowed,
    NotEligible,
    NothingSelected,
    OrganisationUnknown,
    RunNotFound,
    SelectionChanged,
    SelectionNotFound,
)
from domain.lists.summaries import InvoiceList
from domain.money import Money
from domain.overview.summaries import LookedUp, Tally
from domain.reasons import Reason
from domain.states import LinkStatus, Outcome
from domain.summaries import Actor, BulkResult
from tests.contracts.desk_fixtures import DOLLARS, ONE_CENT, Billed, Office, office
from tests.domain.factories import PAGE
from tests.handlers.fake_desk import FakeDesk
from tests.patience import PATIENCE

__all__ = ["office"]

NOTHING = Money(0, "USD")
THREE = (Billed("INV-1"), Billed("INV-2", buyer_name="Berlin Bakery"), Billed("INV-3", amount=NOTHING))


def test_the_fake_has_every_method_of_the_desk_with_the_same_parameters() -> None:
    # Programs come to the desk over HTTP, not through handlers.
    for_people = [each for each in Desk.__mro__ if each is not ProgramDesk]
    named = {name for each in for_people for name in vars(each) if not name.startswith("_")}
    for name, method in inspect.getmembers(Desk, inspect.isfunction):
        if name in named:
            assert inspect.signature(getattr(FakeDesk, name)) == inspect.signature(method), name


async def opened(office: Office, search: str = "") -> InvoiceList:
    return await office.desk.open_list(office.ann, search, shape=PAGE)


async def tick(office: Office, shown: InvoiceList, *ids: int, acted_at: str = "1.000001") -> int:
    """Of a list in which nothing was done yet, or of one that was written down: both take what it was opened with."""
    return await office.desk.tick(
        office.ann,
        shown.selection.id,
        revision=shown.selection.revision,
        displayed={one.id for one in shown.invoices},
        ticked=set(ids),
        acted_at=acted_at,
        opened_with="" if shown.selection.revision == 1 else None,
    )


async def shown(office: Office, selection_id: int) -> InvoiceList:
    return await office.desk.show_list(office.ann, selection_id, shape=PAGE)


async def ticked(office: Office, *ids: int) -> int:
    """A selection with these ticked."""
    page = await opened(office)
    await tick(office, page, *ids)
    return page.selection.id


async def run(office: Office, selection_id: int, submission: str = "create:V1") -> BulkResult:
    seal = (await office.desk.confirm(office.ann, selection_id)).seal
    return await office.desk.start_run(
        office.ann, selection_id, seal=seal, submission=submission, view_id="V1"
    )


def numbers(page: InvoiceList) -> list[str]:
    return [one.number for one in page.invoices]


async def test_an_invoice_is_found_by_its_number_whatever_its_case_and_blanks(office: Office) -> None:
    office.bill(*THREE)
    found = await office.desk.find_invoice(office.ann, " inv-2 ")
    details = await office.desk.find_details(office.ann, "inv-2")
    assert found is not None
    assert (found.id, found.status, found.eligible) == (2, LinkStatus.NOT_CREATED, True)
    assert details is not None
    assert details.invoice == found
    assert await office.desk.find_invoice(office.ann, "INV-") is None
    assert await office.desk.find_details(office.ann, "INV-") is None


@pytest.mark.parametrize("typed", ["inv-2", "INV\u20112", "INV-2\u200b", "ＩＮＶ－２", "\u00a0INV–2 "])
async def test_a_number_is_looked_up_however_it_is_written(office: Office, typed: str) -> None:
    office.bill(*THREE)
    found = await office.desk.look_up(office.ann, typed)
    assert found.details is not None
    assert (found.details.invoice.number, found.options) == ("INV-2", ())
    assert await office.desk.look_up(office.ann, "X-2") == LookedUp()
    assert [one.number for one in (await office.desk.look_up(office.ann, "bak")).options] == ["INV-2"]


async def test_ids_that_nothing_has_are_not_found(office: Office) -> None:
    office.bill(*THREE)
    with pytest.raises(InvoiceNotFound):
        await office.desk.get_invoice(office.ann, 99)
    with pytest.raises(InvoiceNotFound):
        await office.desk.get_details(office.ann, 99)
    with pytest.raises(InvoiceNotFound):
        await office.desk.get_history(office.ann, 99, 0)
    with pytest.raises(InvoiceNotFound):
        await office.desk.create_link(office.ann, 99, DOLLARS, patience=PATIENCE)
    with pytest.raises(RunNotFound):
        await office.desk.get_result(office.ann, 99)
    with pytest.raises(SelectionNotFound):
        await office.desk.show_list(office.ann, 99, shape=PAGE)
    with pytest.raises(SelectionNotFound):
        await office.desk.confirm(office.ann, 99)


async def test_a_workspace_that_isnt_set_up_gets_nothing(office: Office) -> None:
    office.bill(*THREE)
    stranger = Actor("T0STRANGER", "U0ANNA")
    with pytest.raises(OrganisationUnknown):
        await office.desk.get_organisation(stranger.team_id)
    with pytest.raises(OrganisationUnknown):
        await office.desk.find_invoice(stranger, "INV-1")
    with pytest.raises(OrganisationUnknown):
        await office.desk.open_list(stranger, shape=PAGE)
    with pytest.raises(OrganisationUnknown):
        await office.desk.get_home(stranger)


async def test_the_nearest_numbers_and_the_options_of_a_text(office: Office) -> None:
    office.bill(*THREE)
    assert "INV-2" in [one.number for one in await office.desk.find_nearest(office.ann, "INV-22")]
    assert [one.number for one in await office.desk.find_options(office.ann, "bak")] == ["INV-2"]
    assert await office.desk.find_options(office.ann, "akery") == ()


async def test_a_link_is_created_once(office: Office) -> None:
    office.bill(*THREE)
    first = await office.desk.create_link(office.ann, 1, DOLLARS, patience=PATIENCE)
    assert (first.status, first.reason, first.eligible) == (
        LinkStatus.PENDING_PAYMENT,
        Reason.PENDING_PAYMENT,
        False,
    )
    assert first.link is not None
    assert first.link.amount == DOLLARS
    again = await office.desk.create_link(office.ann, 1, DOLLARS, patience=PATIENCE)
    assert again.link is not None
    assert again.link.url == first.link.url


async def test_no_link_over_another_amount_than_was_seen(office: Office) -> None:
    office.bill(*THREE)
    with pytest.raises(AmountChanged) as changed:
        await office.desk.create_link(office.ann, 1, Money(1, "USD"), patience=PATIENCE)
    assert (changed.value.number, changed.value.seen, changed.value.now) == (
        "INV-1",
        Money(1, "USD"),
        DOLLARS,
    )


async def test_no_link_for_what_isnt_eligible(office: Office) -> None:
    office.bill(*THREE)
    with pytest.raises(NotEligible) as refused:
        await office.desk.create_link(office.ann, 3, NOTHING, patience=PATIENCE)
    assert refused.value.reason is Reason.NOT_POSITIVE


async def test_a_list_has_what_is_eligible_first_then_the_earliest_due(office: Office) -> None:
    office.bill(
        Billed("D", amount=NOTHING, due_date=date(2020, 1, 1)),
        Billed("C", due_date=None),
        Billed("B", due_date=date(2026, 12, 1)),
        Billed("A", due_date=date(2026, 11, 1)),
    )
    page = await opened(office)
    assert numbers(page) == ["A", "B", "C", "D"]
    assert page.selection.filter is LinkStatus.NOT_CREATED
    assert (page.selection.revision, page.selection.ticked) == (1, frozenset())
    assert (page.has_previous, page.has_next) == (False, False)


async def test_a_list_may_be_opened_with_a_search(office: Office) -> None:
    office.bill(*THREE)
    page = await opened(office, "berlin")
    assert (numbers(page), page.selection.search) == (["INV-2"], "berlin")
    again = await office.desk.show_list(office.ann, page.selection.id, shape=PAGE, opened_with="berlin")
    assert numbers(again) == ["INV-2"]


async def test_ticks_are_those_of_the_page(office: Office) -> None:
    office.bill(*THREE)
    page = await opened(office)
    assert await tick(office, page, 1, 2) == 0
    assert (await shown(office, page.selection.id)).selection.ticked == {1, 2}
    assert await tick(office, page, 2, acted_at="2.000001") == 0
    assert (await shown(office, page.selection.id)).selection.ticked == {2}


async def test_ticks_of_an_older_rendering_change_nothing_unless_they_are_submitted(office: Office) -> None:
    office.bill(*THREE)
    page = await opened(office)
    await tick(office, page, 1)
    await office.desk.clear_selection(office.ann, page.selection.id, shape=PAGE)
    await tick(office, page, 1, 2, acted_at="3.000001")
    assert (await shown(office, page.selection.id)).selection.ticked == frozenset()
    await tick(office, page, 1, acted_at="")
    assert (await shown(office, page.selection.id)).selection.ticked == {1}


async def test_ticks_that_come_late_or_twice_change_nothing(office: Office) -> None:
    office.bill(*THREE)
    page = await opened(office)
    await tick(office, page, 1, acted_at="1700000000.900000")
    await tick(office, page, 1, 2, acted_at="1700000000.100000")
    await tick(office, page, acted_at="1700000000.900000")
    assert (await shown(office, page.selection.id)).selection.ticked == {1}
    await tick(office, page, 2, acted_at="1700000001.000000")
    assert (await shown(office, page.selection.id)).selection.ticked == {2}


async def test_select_all_ticks_what_is_eligible_and_clear_unticks_it(office: Office) -> None:
    office.bill(*THREE)
    selection_id = await ticked(office)
    selected = await office.desk.select_page(office.ann, selection_id, shape=PAGE)
    assert (selected.selection.ticked, selected.left_out) == (frozenset({1, 2}), 0)
    assert selected.selection.revision > 1
    cleared = await office.desk.clear_selection(office.ann, selection_id, shape=PAGE)
    assert cleared.selection.ticked == frozenset()
    assert cleared.selection.revision > selected.selection.revision


async def test_a_hundred_can_be_ticked_in_all(office: Office) -> None:
    office.bill(*(Billed(f"INV-{number:03}") for number in range(120)))
    page = await opened(office)
    assert (len(page.invoices), page.has_next) == (100, True)
    await tick(office, page, *(one.id for one in page.invoices[:95]))
    second = await office.desk.turn_page(office.ann, page.selection.id, forward=True, revision=1, shape=PAGE)
    assert numbers(second) == [f"INV-{number:03}" for number in range(100, 120)]
    assert (second.has_previous, second.has_next) == (True, False)
    full = await office.desk.select_page(office.ann, page.selection.id, shape=PAGE)
    assert (len(full.selection.ticked), full.left_out) == (100, 15)
    assert await tick(office, full, *(one.id for one in full.invoices), acted_at="2.000001") == 15
    assert (await shown(office, page.selection.id)).selection.revision > full.selection.revision


async def test_a_page_ends_when_its_room_is_used_up(office: Office) -> None:
    office.bill(
        *(Billed(f"INV-{number:03}") for number in range(15)), Billed("X", NOTHING), Billed("Y", NOTHING)
    )
    page = await office.desk.open_list(office.ann, shape=replace(PAGE, rows=3))
    assert (len(page.invoices), page.has_next) == (16, True)


async def test_pages_turn_both_ways_and_once_for_each_rendering(office: Office) -> None:
    office.bill(*(Billed(f"INV-{number:03}") for number in range(120)))
    page = await opened(office)
    await tick(office, page)
    turn = office.desk.turn_page
    second = await turn(office.ann, page.selection.id, forward=True, revision=1, shape=PAGE)
    again = await turn(office.ann, page.selection.id, forward=True, revision=1, shape=PAGE)
    assert numbers(again) == numbers(second)
    first = await turn(
        office.ann, page.selection.id, forward=False, revision=again.selection.revision, shape=PAGE
    )
    assert numbers(first) == numbers(page)


async def test_a_filter_and_a_search_keep_the_ticks(office: Office) -> None:
    office.bill(*THREE)
    await office.desk.create_link(office.ann, 1, DOLLARS, patience=PATIENCE)
    selection_id = await ticked(office, 2)
    narrow = office.desk.narrow
    pending = await narrow(office.ann, selection_id, filter=LinkStatus.PENDING_PAYMENT, search="", shape=PAGE)
    assert (numbers(pending), pending.selection.ticked) == (["INV-1"], frozenset({2}))
    every = await narrow(office.ann, selection_id, filter=None, search="acme", shape=PAGE)
    assert sorted(numbers(every)) == ["INV-1", "INV-3"]
    assert (every.selection.filter, every.selection.search) == (None, "acme")


async def test_one_tick_is_taken_off(office: Office) -> None:
    office.bill(*THREE)
    selection_id = await ticked(office, 1, 2)
    page = await office.desk.untick(office.ann, selection_id, invoice_id=1, shape=PAGE)
    assert page.selection.ticked == {2}


async def test_a_list_starts_over_with_its_search_and_nothing_ticked(office: Office) -> None:
    office.bill(*THREE)
    selection_id = await ticked(office, 1)
    await office.desk.narrow(office.ann, selection_id, filter=None, search="acme", shape=PAGE)
    fresh = await office.desk.refresh_list(office.ann, selection_id, shape=PAGE)
    assert (fresh.selection.ticked, fresh.selection.filter, fresh.selection.search) == (
        frozenset(),
        None,
        "acme",
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


async def test_home_shows_what_waits_for_payment(office: Office) -> None:
    office.bill(*THREE)
    await office.desk.create_link(office.ann, 1, DOLLARS, patience=PATIENCE)
    home = await office.desk.get_home(office.ann)
    assert [one.id for one in home.waiting] == [1]
    assert (home.pending, home.paid, home.lately_paid) == (1, 0, ())
    assert home.owed is not None
    assert home.owed.pending == Tally(1, (DOLLARS,))
    assert home.owed.not_created == Tally(1, (DOLLARS,))
    assert home.organisation == await office.desk.get_organisation(office.ann.team_id)
    assert home.stripe == await office.desk.get_stripe_state(office.ann)
    with pytest.raises(LedgerChanged):
        await office.desk.create_link(office.ann, 2, DOLLARS, patience=PATIENCE, livemode=True)


async def test_everybody_is_welcomed_once_and_each_event_is_taken_once(office: Office) -> None:
    desk = office.desk
    assert await desk.welcome(office.ann)
    assert not await desk.welcome(office.ann)
    await desk.forget_welcome(office.ann)
    assert await desk.welcome(office.ann)
    assert await desk.take_event(office.ann, "Ev1")
    assert not await desk.take_event(office.ann, "Ev1")
    assert await desk.take_event(office.ann, "Ev2")


async def test_settings_and_steps_are_kept_with_the_channel_among_them(office: Office) -> None:
    office.let_administer()
    changed = await office.desk.change_settings(office.ann, channel="C0NEW", language="de")
    assert changed == await office.desk.get_settings(office.ann)
    shown = await office.desk.show_settings(office.ann)
    assert (shown.channel, shown.settings.language) == ("C0NEW", "de")
    await office.desk.note_tried(office.ann)
    found = await office.desk.get_set_up(office.ann)
    assert (found.may, found.steps.channel, found.steps.tried) == (True, True, True)


async def test_who_is_no_administrator_sees_no_settings_and_connects_nothing(office: Office) -> None:
    office.let_administer(False)
    for refused in (
        office.desk.show_settings(office.ann),
        office.desk.change_settings(office.ann, channel="C0NEW"),
        office.desk.connect_stripe(office.ann, "rk_test_0123456789", "", confirmed=""),
    ):
        with pytest.raises(NotAllowed):
            await refused
    assert (await office.desk.get_organisation(office.ann.team_id)).channel != "C0NEW"
    assert not (await office.desk.get_set_up(office.ann)).may
