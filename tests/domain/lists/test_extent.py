"""What stands above the list: which page of how many, how many invoices, and what is ticked in sums."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.lists import drawn_page
from domain.lists.page_shape import PageShape
from domain.lists.summaries import Extent
from domain.money import Money
from tests.domain.factories import PAGE, make_invoice, make_invoices
from tests.domain.lists.test_selections import opened, tick, turn
from tests.domain.world import ADA, World


@dataclass(frozen=True)
class Listed:
    eligible: bool


@given(
    st.integers(0, 300),
    st.integers(0, 300),
    st.builds(
        PageShape, rows=st.integers(1, 90), ticks_in_row=st.integers(1, 10), invoices=st.integers(1, 100)
    ),
)
def test_so_many_pages_are_counted_as_are_turned(eligible: int, others: int, shape: PageShape) -> None:
    left, pages = [Listed(True)] * eligible + [Listed(False)] * others, 0
    while left:
        left = left[shape.count_fitting(left) :]  # type: ignore[arg-type]
        pages += 1
    assert shape.count_pages(eligible, others) == pages


async def test_each_page_says_which_it_is_and_how_many_there_are(world: World) -> None:
    make_invoices(world.db, [None] * 150)
    make_invoices(world.db, [None] * 120, amount=0)
    first = await opened(world)
    assert (first.page_number, first.extent) == (1, Extent(270, 3))
    third = await turn(world, await turn(world, first, forward=True), forward=True)
    assert (third.page_number, third.has_next, third.extent) == (3, False, Extent(270, 3))


async def test_what_a_search_finds_is_counted_where_it_is_all_shown(world: World) -> None:
    make_invoices(world.db, [None] * 130, buyer_name="Acme Corp")
    make_invoice(world.db, buyer_name="Kestrel")
    assert (await world.desk.open_list(ADA, "kestrel", shape=PAGE)).extent == Extent(1, 1)
    assert (await world.desk.open_list(ADA, "nobody", shape=PAGE)).extent == Extent(0, 1)
    assert (await world.desk.open_list(ADA, "acme", shape=PAGE)).extent is None


async def test_a_long_list_is_not_counted_to_its_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn_page, "MOST_COUNTED", 15)
    make_invoices(world.db, [None] * 16)
    shape = replace(PAGE, invoices=10)
    assert (await world.desk.open_list(ADA, shape=shape)).extent == Extent(15, None)


async def test_what_is_ticked_is_summed_for_each_currency(world: World) -> None:
    ids = [
        make_invoice(world.db, amount=amount, currency=currency)
        for amount, currency in [(100_00, "USD"), (98_000, "JPY"), (23_00, "USD"), (7_00, "EUR")]
    ]
    shown = await opened(world)
    assert shown.totals == ()
    await tick(world, shown, set(ids), set(ids[:3]))
    after = await world.desk.show_list(ADA, shown.selection.id, shape=PAGE)
    assert after.totals == (Money(98_000, "JPY"), Money(123_00, "USD"))
