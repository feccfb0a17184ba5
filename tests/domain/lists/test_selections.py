"""The list and what is ticked in it: order, pages, filter, search, and the cap of 100."""

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from domain.errors import SelectionNotFound
from domain.lists.selection_ids import is_made_for, new_id
from domain.lists.summaries import InvoiceList
from domain.models import Invoice, Selection
from domain.money import Money
from domain.states import LinkState, LinkStatus
from tests.domain.factories import PAGE, make_invoice, make_invoices, make_link
from tests.domain.world import ADA, BEN, World


def numbers(shown: InvoiceList) -> list[str]:
    return [invoice.number for invoice in shown.invoices]


async def test_eligible_first_then_due_date_then_number(world: World) -> None:
    make_invoice(world.db, "D", amount=0, due_date=date(2020, 1, 1))
    make_invoice(world.db, "C", due_date=None)
    make_invoice(world.db, "B", due_date=date(2026, 12, 1))
    make_invoice(world.db, "a2", due_date=date(2026, 11, 30))
    make_invoice(world.db, "A1", due_date=date(2026, 11, 30))
    assert numbers(await world.desk.open_list(ADA, shape=PAGE)) == ["A1", "a2", "B", "C", "D"]


@pytest.mark.parametrize("search", ["inv-10", "ACME", "corp", "acme corp", "Berl", "  berlin ", "x/7"])
async def test_search_matches_the_beginning_of_the_number_or_of_any_word(world: World, search: str) -> None:
    make_invoice(world.db, "INV-10", buyer_name="Acme Corp (Berlin)")
    make_invoice(world.db, "X/7", buyer_name="Acme Corp [Berlin]")
    make_invoice(world.db, "Y-1", buyer_name="Nobody")
    found = numbers(await world.desk.open_list(ADA, search, shape=PAGE))
    assert found
    assert "Y-1" not in found


@pytest.mark.parametrize("search", ["cme", "1", "erlin", "zzz", "%", "_"])
async def test_search_matches_nothing_in_the_middle_of_a_word(world: World, search: str) -> None:
    make_invoice(world.db, "INV-10", buyer_name="Acme Corp (Berlin)")
    assert numbers(await world.desk.open_list(ADA, search, shape=PAGE)) == []


async def test_pages_end_at_100_and_lead_back_where_they_came_from(world: World) -> None:
    make_invoices(world.db, (f"INV-{number:03}" for number in range(250)))
    first = await opened(world)
    assert len(first.invoices) == 100
    assert (first.has_previous, first.has_next) == (False, True)
    second = await turn(world, first, forward=True)
    third = await turn(world, second, forward=True)
    assert numbers(third) == [f"INV-{number:03}" for number in range(200, 250)]
    assert (third.has_previous, third.has_next) == (True, False)
    assert numbers(await turn(world, await turn(world, third, forward=False), forward=False)) == numbers(
        first
    )


async def test_a_second_delivery_of_next_page_turns_nothing(world: World) -> None:
    make_invoices(world.db, [None] * 150)
    first = await opened(world)
    second = await turn(world, first, forward=True)
    again = await turn(world, first, forward=True)
    assert numbers(again) == numbers(second)


async def test_rows_that_cant_be_ticked_take_their_room(world: World) -> None:
    make_invoices(world.db, [None] * 25)
    make_invoices(world.db, [None] * 20, amount=0)
    shown = await world.desk.open_list(ADA, shape=replace(PAGE, rows=10))
    assert len(shown.invoices) == 25 + 7
    assert shown.has_next


async def test_ticks_survive_paging_and_filtering_and_select_all_fills_up_to_100(world: World) -> None:
    make_invoices(world.db, [None] * 160)
    first = await opened(world)
    ids = [invoice.id for invoice in first.invoices]
    await tick(world, first, set(ids), set(ids[:50]))
    second = await turn(world, first, forward=True)
    assert len(second.selection.ticked) == 50
    full = await world.desk.select_page(ADA, second.selection.id, shape=PAGE)
    assert (len(full.selection.ticked), full.left_out) == (100, 10)
    assert [invoice.id in full.selection.ticked for invoice in full.invoices] == [True] * 50 + [False] * 10
    narrowed = await world.desk.narrow(ADA, full.selection.id, filter=LinkStatus.PAID, search="", shape=PAGE)
    assert numbers(narrowed) == []
    assert len(narrowed.selection.ticked) == 100
    cleared = await world.desk.clear_selection(ADA, full.selection.id, shape=PAGE)
    assert not cleared.selection.ticked
    assert cleared.selection.revision > full.selection.revision


async def test_a_tick_above_100_is_left_out_and_says_so(world: World) -> None:
    make_invoices(world.db, [None] * 110)
    first = await opened(world)
    all_on = await world.desk.select_page(ADA, first.selection.id, shape=PAGE)
    second = await turn(world, all_on, forward=True)
    one = second.invoices[0].id
    assert await tick(world, second, {one}, {one}) == 1
    shown = await world.desk.show_list(ADA, first.selection.id, shape=PAGE)
    assert one not in shown.selection.ticked
    assert shown.selection.revision == second.selection.revision + 1


async def test_a_late_tick_doesnt_undo_a_newer_one(world: World) -> None:
    one, two = make_invoice(world.db), make_invoice(world.db)
    shown = await opened(world)
    await tick(world, shown, {one, two}, {one, two}, "1000.2")
    await tick(world, shown, {one, two}, {one}, "1000.1")
    assert (await world.desk.show_list(ADA, shown.selection.id, shape=PAGE)).selection.ticked == {one, two}
    await tick(world, shown, {one, two}, {two}, "")
    assert (await world.desk.show_list(ADA, shown.selection.id, shape=PAGE)).selection.ticked == {two}


async def test_a_tick_taken_away_leaves_the_page_and_the_other_ticks(world: World) -> None:
    ids = make_invoices(world.db, (f"INV-{number:03}" for number in range(150)))
    second = await turn(world, await opened(world), forward=True)
    await tick(world, second, set(ids[100:]), {ids[120], ids[121]})
    now = await world.desk.untick(ADA, second.selection.id, invoice_id=ids[120], shape=PAGE)
    assert now.selection.ticked == {ids[121]}
    assert now.selection.revision > second.selection.revision
    assert numbers(now) == numbers(second)


async def test_opening_a_list_writes_nothing(world: World) -> None:
    make_invoice(world.db)
    shown = await world.desk.open_list(ADA, "inv", shape=PAGE)
    assert await world.db.read(lambda session: session.scalar(sa.select(sa.func.count(Selection.id)))) == 0
    again = await world.desk.show_list(ADA, shown.selection.id, shape=PAGE, opened_with="inv")
    assert again == shown


async def test_the_first_thing_done_in_a_list_keeps_what_it_was_opened_with(world: World) -> None:
    make_invoice(world.db, "A-1")
    wanted = make_invoice(world.db, "B-1")
    shown = await world.desk.open_list(ADA, "b", shape=PAGE)
    await tick(world, shown, {wanted}, {wanted}, opened_with="b")
    kept = await world.desk.show_list(ADA, shown.selection.id, shape=PAGE)
    assert (numbers(kept), kept.selection.search, kept.selection.ticked) == (
        ["B-1"],
        "b",
        frozenset({wanted}),
    )


async def test_two_first_things_at_once_lose_neither(world: World) -> None:
    one, two = make_invoice(world.db), make_invoice(world.db)
    shown = await world.desk.open_list(ADA, shape=PAGE)
    await asyncio.gather(
        tick(world, shown, {one}, {one}, "", opened_with=""),
        tick(world, shown, {two}, {two}, "", opened_with=""),
    )
    assert (await world.desk.show_list(ADA, shown.selection.id, shape=PAGE)).selection.ticked == {one, two}


async def test_a_list_that_was_pruned_after_it_had_changed_is_gone(world: World) -> None:
    make_invoice(world.db)
    shown = await world.desk.open_list(ADA, shape=PAGE)
    with pytest.raises(SelectionNotFound):
        await tick(world, shown, set(), set())
    with pytest.raises(SelectionNotFound):
        await world.desk.show_list(ADA, shown.selection.id, shape=PAGE)


def test_an_id_says_whose_list_it_is() -> None:
    ids = {new_id(ADA) for _ in range(1000)}
    assert len(ids) == 1000
    assert all(0 < one < 2**62 and is_made_for(ADA, one) for one in ids)
    assert not any(is_made_for(BEN, one) for one in ids)
    assert not any(is_made_for(ADA, counted) for counted in range(1000))


async def test_ticks_lock_their_invoices_in_the_order_in_which_imports_do(world: World) -> None:
    ids = [make_invoice(world.db, f"A-{n}", due_date=date(2026, 12, 30 - n)) for n in range(20)]
    # PostgreSQL finds what was written last at the end.
    world.db.run(
        lambda session: (
            session.execute(sa.update(Invoice).where(Invoice.id.in_(ids[:10])).values(description="x"))
            and None
        )
    )
    shown = await opened(world)
    written: list[list[int]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("INSERT INTO selection_items"):
            rows = parameters if isinstance(parameters, list) else [parameters]
            written.append([key for row in rows for key in _ids_in(row, ids)])

    sa.event.listen(world.db.engine, "before_cursor_execute", note)
    await world.desk.select_page(ADA, shown.selection.id, shape=PAGE)
    sa.event.remove(world.db.engine, "before_cursor_execute", note)
    assert written == [ids]


def _ids_in(row: Any, ids: list[int]) -> list[int]:
    values = row.values() if isinstance(row, dict) else row
    return [value for value in values if value in ids]


async def test_the_nearest_numbers_are_offered(world: World) -> None:
    for number in [*range(1001, 1031), 2001]:
        make_invoice(world.db, f"INV-{number}")
    nearest = [option.number for option in await world.desk.find_nearest(ADA, "INV-1005x")]
    assert nearest[0] == "INV-1005"
    assert len(nearest) == 5
    assert (await world.desk.find_nearest(ADA, "1007"))[0].number == "INV-1007"


async def test_the_type_ahead_finds_by_number_and_by_buyer(world: World) -> None:
    make_invoice(world.db, "INV-1", buyer_name="Zebra Ltd")
    make_invoice(world.db, "INV-2", buyer_name="Acme Zebra")
    assert [option.number for option in await world.desk.find_options(ADA, "zeb")] == ["INV-1", "INV-2"]
    assert [option.number for option in await world.desk.find_options(ADA, "inv-2")] == ["INV-2"]


async def test_the_type_ahead_knows_what_a_link_asks_for(world: World) -> None:
    linked, reserved = make_invoice(world.db, "INV-1"), make_invoice(world.db, "INV-2")
    make_link(world.db, linked, amount=900)
    make_link(world.db, reserved, state=LinkState.RESERVED, amount=900)
    options = await world.desk.find_options(ADA, "inv")
    assert {option.number: option.link_amount for option in options} == {
        "INV-1": Money(900, "USD"),
        "INV-2": None,
    }


async def opened(world: World) -> InvoiceList:
    """A list in which something was done, so that it is written down."""
    shown = await world.desk.open_list(ADA, shape=PAGE)
    await tick(world, shown, set(), set(), "", opened_with="")
    return shown


async def turn(world: World, shown: InvoiceList, *, forward: bool) -> InvoiceList:
    selection = shown.selection
    return await world.desk.turn_page(
        ADA, selection.id, forward=forward, revision=selection.revision, shape=PAGE
    )


async def tick(
    world: World,
    shown: InvoiceList,
    displayed: set[int],
    ticked: set[int],
    action_ts: str = "1.000001",
    *,
    opened_with: str | None = None,
) -> int:
    selection = shown.selection
    return await world.desk.tick(
        ADA,
        selection.id,
        revision=selection.revision,
        displayed=displayed,
        ticked=ticked,
        acted_at=action_ts,
        opened_with=opened_with,
    )
