"""The list that a result modal or an invoice's details stand on: in the local Slack, on a fake desk."""

import pytest

from domain.eligibility import Reason
from handlers.sentences import REASONS
from tests.handlers.conftest import Bench
from tests.handlers.samples import invoice
from tests.handlers.shapes import buttons, flat, tick_groups

WAITING = str(REASONS[Reason.BEING_CREATED])


@pytest.fixture
def few(bench: Bench) -> Bench:
    """Thirteen eligible invoices: two groups of checkboxes."""
    bench.invoices(*(invoice(n) for n in range(1, 14)))
    return bench


async def running(bench: Bench) -> str:
    """A bulk run of the first two invoices, begun from a list of all; the list's view."""
    await bench.command("/invoices")
    root = bench.top.id
    await bench.click("filter-", "list_filter", "All")
    await tick(bench, "1", "2")
    await bench.idle()
    await bench.submit()
    await bench.workspace.submit(bench.anna, bench.top.id)
    await bench.workspace.wait_for(lambda: WAITING in flat(bench.workspace.view(root).payload))
    return root


async def tick(bench: Bench, *values: str) -> None:
    """Leaves ticked just these in the first group."""
    group = tick_groups(bench.top.payload)[0]["block_id"]
    await bench.workspace.click(bench.anna, bench.top.id, group, "list_ticks", [*values])


async def go_back(bench: Bench) -> None:
    await bench.workspace.close(bench.anna, bench.top.id)


def heard(bench: Bench) -> set[int]:
    [selection] = bench.desk.selections.values()
    return set(selection.ticked)


def ticked(bench: Bench) -> list[str]:
    """What is ticked in the top modal, as the client shows it."""
    states = [bench.top.values[group["block_id"]]["list_ticks"] for group in tick_groups(bench.top.payload)]
    return [option["value"] for state in states for option in state.get("selected_options", [])]


@pytest.mark.parametrize("when", ["before the run is final", "after it"])
async def test_it_shows_what_became_of_the_run(few: Bench, when: str) -> None:
    root = await running(few)
    if when == "before the run is final":
        await go_back(few)
    few.desk.finish(1)
    await few.idle()
    if when == "after it":
        await go_back(few)
    assert few.top.id == root
    assert WAITING not in few.shown
    assert buttons(few.top.payload).count("Copy Payment Link URL") == 2
    assert ticked(few) == []


async def test_what_was_done_in_it_meanwhile_stays(few: Bench) -> None:
    await running(few)
    await go_back(few)
    before = few.top.hash
    await tick(few, "3", "4")
    used = await few.workspace.wait_for(lambda: few.top.hash != before and few.top.hash)
    few.desk.finish(1)
    await few.idle()
    assert few.top.hash == used
    assert ticked(few) == ["3", "4"]
    assert heard(few) == {3, 4}


async def test_a_list_that_is_closed_by_then_is_no_error(few: Bench) -> None:
    await running(few)
    await few.workspace.close(few.anna, few.top.id, clear=True)
    few.desk.finish(1)
    await few.idle()
    assert few.workspace.views(few.anna) == []
    assert [event for event, _ in few.log.kept if event != "refused"] == []
