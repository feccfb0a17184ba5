"""The list that a result modal or an invoice's details stand on: in the local Slack, on a fake desk."""

import pytest

from domain.reasons import Reason
from handlers.features import details
from handlers.words.sentences import REASONS
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
    assert [event for event, _ in few.log.kept if event != "delivery.refused"] == []


async def create_from_details(bench: Bench, value: str) -> None:
    await bench.click("details-", "list_details", value)
    await bench.press("Create Payment Link")


async def creating_from_details(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripe takes long, and the list underneath says so."""
    monkeypatch.setattr(details, "LOOK_AGAIN", (0.01,) * 500)
    await bench.command("/invoices")
    root = bench.top.id
    await bench.click("details-", "list_details", "2")
    bench.desk.answers.clear()
    await bench.workspace.press(bench.anna, bench.top.id, "Create Payment Link")
    await bench.workspace.wait_for(lambda: WAITING in flat(bench.workspace.view(root).payload))


async def test_a_link_created_from_its_details_takes_the_invoice_off_what_can_be_ticked(few: Bench) -> None:
    await few.command("/invoices INV")
    root = few.top.id
    await few.click("filter-", "list_filter", "All")
    await tick(few, "1", "2", "9")
    await few.idle()
    await create_from_details(few, "2")
    assert "🟡 Pending Payment" in few.shown.splitlines()
    await go_back(few)
    assert few.top.id == root
    assert "2" not in [
        option["value"]
        for group in tick_groups(few.top.payload)
        for option in group["elements"][0]["options"]
    ]
    assert buttons(few.top.payload).count("Copy Payment Link URL") == 1
    assert ticked(few) == ["1", "9"]
    assert heard(few) == {1, 9}
    assert "2 of at most 100 ticked" in few.shown
    assert few.refused_calls() == []


async def test_the_page_stays_when_a_link_is_created_from_its_details(bench: Bench) -> None:
    bench.invoices(*(invoice(n) for n in range(1, 121)))
    await bench.command("/invoices")
    await bench.press("Next Page")
    await create_from_details(bench, "105")
    await go_back(bench)
    assert "Page 2 of 2 · 119 invoices" in bench.shown
    assert "Previous Page" in buttons(bench.top.payload)


async def test_a_link_that_takes_long_shows_in_the_list_when_it_is_there(
    few: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await creating_from_details(few, monkeypatch)
    few.desk.settle(2)
    await few.idle()
    await go_back(few)
    assert WAITING not in few.shown
    assert "Page 1 of 1 · 12 invoices" in few.shown


async def test_a_list_that_is_used_meanwhile_is_left_as_it_is(
    few: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await creating_from_details(few, monkeypatch)
    await go_back(few)
    before = few.top.hash
    await tick(few, "3")
    used = await few.workspace.wait_for(lambda: few.top.hash != before and few.top.hash)
    few.desk.settle(2)
    await few.idle()
    assert few.top.hash == used
    assert ticked(few) == ["3"]


async def test_details_that_are_closed_at_once_show_in_the_list_all_the_same(few: Bench) -> None:
    await few.command("/invoices")
    root = few.top.id
    await few.click("details-", "list_details", "2")
    few.slack.faults.add(method="views.update", do="error", error="not_found")
    await few.press("Create Payment Link")
    assert "Page 1 of 1 · 12 invoices" in flat(few.workspace.view(root).payload)


async def test_details_that_stand_alone_touch_no_list(few: Bench) -> None:
    await few.command("/invoice INV-1002")
    await few.press("Create Payment Link")
    assert "🟡 Pending Payment" in few.shown.splitlines()
    assert few.desk.selections == {}


async def test_a_forged_list_creates_nothing(few: Bench) -> None:
    await few.command("/invoices")
    for forged in ("1|x|", "77|1|", "1|1|\x00", "-1|1|"):
        await few.click("details-", "list_details", "2")
        few.top.payload["private_metadata"] = forged
        await few.press("Create Payment Link")
        assert few.desk.created == [], forged
        await go_back(few)
