"""What handlers count on in the list of invoices, of the real desk and of the fake one."""

from dataclasses import replace
from datetime import date

from domain.lists.summaries import InvoiceList
from domain.states import LinkStatus
from tests.contracts.desk.fixtures import DOLLARS, Billed, Office, office
from tests.contracts.desk.test_desk import NOTHING, THREE
from tests.domain.factories import PAGE
from tests.patience import PATIENCE

__all__ = ["office"]


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


def numbers(page: InvoiceList) -> list[str]:
    return [one.number for one in page.invoices]


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
