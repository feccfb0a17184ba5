"""The list, the confirmation and the bulk run, in the local Slack on a fake desk."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.states import LinkStatus
from tests.handlers.conftest import Bench
from tests.handlers.samples import invoice, organisation, paid, with_link
from tests.handlers.shapes import tick_groups
from tests.patience import PATIENCE


def ticked(bench: Bench) -> set[int]:
    [selection] = bench.desk.selections.values()
    return set(selection.ticked)


def shown_as_ticked(bench: Bench) -> int:
    """How many boxes of the top modal are ticked, as the client shows them."""
    values = bench.top.values
    return sum(
        len(values.get(group["block_id"], {}).get("list_ticks", {}).get("selected_options", []))
        for group in tick_groups(bench.top.payload)
    )


async def tick(bench: Bench, group: int, *ids: int) -> Any:
    return await bench.click(
        tick_groups(bench.top.payload)[group]["block_id"], "list_ticks", [*map(str, ids)]
    )


async def choose(bench: Bench, block: str, action: str, value: str) -> Any:
    return await bench.click(block, action, value)


async def type_search(bench: Bench, text: str, *, enter: bool) -> None:
    at = (bench.top.id, bench.block("search-")["block_id"], "list_search")
    await bench.workspace.type(bench.anna, *at, text, enter=enter)
    await bench.idle()


async def test_the_command_the_shortcut_and_home_open_the_list(many: Bench) -> None:
    await many.command("/invoices")
    assert "Billing Invoices" in many.shown.splitlines()
    await many.workspace.close(many.anna, many.top.id)
    await many.workspace.global_shortcut(many.anna, "billing_invoices")
    await many.idle()
    assert "Billing Invoices" in many.shown.splitlines()
    await many.workspace.close(many.anna, many.top.id)
    await many.workspace.open_home(many.anna)
    await many.idle()
    home = many.workspace.home(many.anna)
    assert home is not None
    await many.press("Billing Invoices", home.id)
    assert "Billing Invoices" in many.shown.splitlines()
    assert many.refused_calls() == []


async def test_a_search_text_after_the_command_is_applied(many: Bench) -> None:
    await many.command("/invoices zeta")
    assert [len(group["elements"][0]["options"]) for group in tick_groups(many.top.payload)] == [1]
    assert many.block("search-")["element"]["initial_value"] == "zeta"


async def test_select_all_and_remove_all_really_change_what_is_ticked(many: Bench) -> None:
    await many.command("/invoices")
    await many.press("Select All on This Page")
    assert (shown_as_ticked(many), len(ticked(many))) == (100, 100)
    await many.press("Remove All Selections")
    assert (shown_as_ticked(many), len(ticked(many))) == (0, 0)
    await many.press("Select All on This Page")
    assert shown_as_ticked(many) == 100
    assert many.refused_calls() == []


async def test_ticks_survive_paging_and_the_count_follows(many: Bench) -> None:
    await many.command("/invoices")
    await tick(many, 0, 1, 2)
    assert "2 of at most 100 ticked · USD 2,401.00" in many.shown
    await many.press("Next Page")
    assert "2 of at most 100 ticked · USD 2,401.00 · 2 of them not shown here" in many.shown
    await tick(many, 0, 101)
    await many.press("Previous Page")
    assert shown_as_ticked(many) == 2
    assert ticked(many) == {1, 2, 101}


async def test_a_tick_leaves_the_other_groups_as_they_are(many: Bench) -> None:
    await many.command("/invoices")
    await tick(many, 0, 1, 2)
    await tick(many, 3, 31)
    await tick(many, 0, 2)
    assert ticked(many) == {2, 31}
    assert shown_as_ticked(many) == 2


async def test_what_the_cap_leaves_out_is_unticked_and_said(many: Bench) -> None:
    await many.command("/invoices")
    await many.press("Select All on This Page")
    await many.press("Next Page")
    await tick(many, 0, 101, 102)
    assert len(ticked(many)) == 100
    assert shown_as_ticked(many) == 0
    assert "2 more invoices couldn't be" in many.shown


async def test_select_all_fills_up_and_says_how_many_were_left(many: Bench) -> None:
    await many.command("/invoices")
    await tick(many, 0, 1, 2)
    await many.press("Next Page")
    await many.press("Select All on This Page")
    assert len(ticked(many)) == 100
    assert "2 more invoices couldn't be" in many.shown


async def test_the_filter_and_the_search_narrow_and_keep_each_other(many: Bench) -> None:
    await many.command("/invoices")
    await choose(many, "filter-", "list_filter", LinkStatus.PENDING_PAYMENT)
    assert "INV-1901" in many.shown
    assert not tick_groups(many.top.payload)
    await choose(many, "filter-", "list_filter", "All")
    await type_search(many, "INV-19", enter=True)
    [selection] = many.desk.selections.values()
    assert (selection.filter, selection.search) == (None, "INV-19")
    await choose(many, "filter-", "list_filter", LinkStatus.PAID)
    [selection] = many.desk.selections.values()
    assert (selection.filter, selection.search) == (LinkStatus.PAID, "INV-19")
    assert "No billing invoice fits" not in many.shown


async def test_text_in_search_without_enter_is_taken_when_the_list_is_submitted(many: Bench) -> None:
    await many.command("/invoices")
    await tick(many, 0, 1)
    await type_search(many, "zeta", enter=False)
    assert (await many.submit()).ok
    assert "1 invoice" in many.shown.splitlines()
    [selection] = many.desk.selections.values()
    assert selection.search == "zeta"


async def test_submitting_with_nothing_but_a_search_shows_what_it_finds(many: Bench) -> None:
    await many.command("/invoices")
    await type_search(many, "INV-11", enter=False)
    assert (await many.submit()).ok
    assert "Billing Invoices" in many.shown
    assert "Page 1 of 1 · " in many.shown
    [selection] = many.desk.selections.values()
    assert selection.search == "INV-11"


async def test_turning_the_page_takes_the_search_that_was_typed(many: Bench) -> None:
    await many.command("/invoices")
    await type_search(many, "INV-11", enter=False)
    await many.press("Next Page")
    [selection] = many.desk.selections.values()
    assert selection.search == "INV-11"
    assert "Page 1 of 1 · " in many.shown


async def test_where_nothing_can_be_ticked_there_is_only_a_search(bench: Bench) -> None:
    bench.invoices(with_link(invoice(1)))
    await bench.command("/invoices")
    await choose(bench, "filter-", "list_filter", "All")
    view = bench.top.payload
    assert view["submit"]["text"] == "Search"
    assert "Select All on This Page" not in str(view)
    assert "Remove All Selections" not in str(view)
    assert (await bench.submit()).ok
    assert "Page 1 of 1 · 1 invoice" in bench.shown


async def test_what_is_overdue_is_marked(bench: Bench) -> None:
    late = invoice(1, due_date=date(2026, 10, 21))
    bench.invoices(late, with_link(replace(late, id=2)), paid(replace(late, id=3)))
    await bench.command("/invoices")
    await choose(bench, "filter-", "list_filter", "All")
    assert bench.shown.count("⚠ 12 days overdue") == 2


async def test_details_lie_on_the_list_and_the_copy_view_on_them(many: Bench) -> None:
    await many.command("/invoices INV-19")
    await choose(many, "filter-", "list_filter", "All")
    await choose(many, "details-", "list_details", "901")
    assert "Billing Invoice Details" in many.shown
    await many.press("Copy Link URL")
    assert len(many.workspace.views(many.anna)) == 3
    assert many.refused_calls() == []


async def test_a_row_leads_to_its_url(many: Bench) -> None:
    bench = many
    bench.invoices(with_link(invoice(901)))
    await bench.command("/invoices")
    await choose(bench, "filter-", "list_filter", "All")
    await bench.press("Copy Payment Link URL")
    assert bench.block("payment_link_url")


async def test_nothing_ticked_is_said_beside_search(many: Bench) -> None:
    await many.command("/invoices")
    outcome = await many.submit()
    assert {block.split("-")[0]: words for block, words in outcome.errors.items()} == {
        "search": "Nothing is ticked. Tick the invoices that need a link."
    }


async def test_the_missing_add_on_is_said_in_the_list_and_beside_search(many: Bench) -> None:
    many.desk.organisation = organisation(add_on=False)
    await many.command("/invoices")
    assert "Stripe Credit Card Payment Add-on" in many.shown
    await tick(many, 0, 1)
    [words] = (await many.submit()).errors.values()
    assert "Stripe Credit Card Payment Add-on" in words


async def test_the_submissions_ticks_win_over_what_was_heard_before(many: Bench) -> None:
    await many.command("/invoices")
    many.slack.faults.add(method="deliver.interactive")
    many.slack.limits.ack_seconds = 0.2
    await tick(many, 0, 1, 2, 3)
    many.slack.limits.ack_seconds = PATIENCE
    assert ticked(many) == set()
    await many.submit()
    assert "3 invoices" in many.shown


async def test_a_list_that_is_too_old_says_so(many: Bench) -> None:
    await many.command("/invoices")
    many.desk.selections.clear()
    await many.press("Next Page")
    assert "too old" in many.shown
    [words] = (await many.submit()).errors.values()
    assert "too old" in words


@pytest.mark.parametrize("forged", ["x", "1", "1|2|\x00", "1|2|" + "x" * 201, "-1|1", "|", "1|" + "9" * 30])
async def test_a_forged_list_ends_in_a_sentence(bench: Bench, forged: str) -> None:
    bench.invoices(invoice(1))
    await bench.command("/invoices")
    bench.top.payload["private_metadata"] = forged
    await bench.press("Select All on This Page")
    assert "doesn't recognise" in bench.shown
    [words] = (await bench.submit()).errors.values()
    assert "doesn't recognise" in words


async def test_hostile_text_pages_like_any_other(bench: Bench) -> None:
    hostile = [replace(invoice(n), buyer_name="\u202e<!channel> " * 500) for n in range(1, 151)]
    bench.invoices(*hostile)
    await bench.command("/invoices")
    await bench.press("Next Page")
    await bench.press("Select All on This Page")
    await bench.submit()
    assert "50 invoices" in bench.shown
    assert bench.refused_calls() == []
