"""What was confirmed is what happens; whatever has changed since is shown first. In the local Slack, on a fake desk."""

import math
from dataclasses import replace

import pytest

from domain.errors import LedgerChanged, SelectionChanged
from domain.money import Money
from handlers.features import bulk_listing
from handlers.words.sentences import sentence
from tests.handlers.conftest import Bench
from tests.handlers.samples import invoice
from tests.handlers.shapes import buttons, tick_groups


@pytest.fixture
def few(bench: Bench) -> Bench:
    bench.invoices(*(invoice(n) for n in range(1, 6)))
    return bench


def go_live(bench: Bench) -> None:
    """As a start with another key does, while modals stand open."""
    bench.desk.livemode = True
    bench.desk.stripe = replace(bench.desk.stripe, livemode=True)


async def tick(bench: Bench, *values: str) -> None:
    group = tick_groups(bench.top.payload)[0]["block_id"]
    await bench.workspace.click(bench.anna, bench.top.id, group, "list_ticks", [*values])


async def confirming(bench: Bench) -> None:
    await bench.command("/invoices")
    await tick(bench, "1", "2")
    await bench.submit()


async def one_created_one_failed(bench: Bench) -> None:
    await confirming(bench)
    await bench.workspace.submit(bench.anna, bench.top.id)
    bench.desk.finish(1, failed={2: "Not allowed."})
    await bench.idle()


async def test_a_confirmation_of_test_mode_creates_nothing_in_live_mode(few: Bench) -> None:
    await confirming(few)
    assert "Test mode" in few.shown
    go_live(few)
    await few.submit()
    assert few.desk.runs == {}
    assert str(sentence(SelectionChanged())) in few.shown
    assert "Live mode" in few.shown
    await few.workspace.submit(few.anna, few.top.id)
    assert len(few.desk.runs) == 1
    few.desk.finish(1)
    await few.idle()


async def test_details_of_test_mode_create_nothing_in_live_mode(few: Bench) -> None:
    await few.command("/invoice INV-1001")
    assert "Test mode" in few.shown
    go_live(few)
    await few.press("Create Payment Link")
    assert few.desk.created == []
    assert str(sentence(LedgerChanged())) in few.shown
    assert "Test mode" not in few.shown
    await few.press("Create Payment Link")
    assert few.desk.created == [1]


async def test_ticks_that_change_behind_a_confirmation_are_confirmed_again(few: Bench) -> None:
    await confirming(few)
    [selection] = few.desk.selections
    few.desk.selections[selection] = replace(few.desk.selections[selection], ticked=frozenset({1}))
    await few.submit()
    assert few.desk.runs == {}
    assert str(sentence(SelectionChanged())) in few.shown
    assert "INV-1002" not in few.shown


async def test_a_confirmation_of_an_earlier_version_is_confirmed_again(few: Bench) -> None:
    await confirming(few)
    few.top.payload["private_metadata"] = few.top.payload["private_metadata"].partition("|")[0]
    await few.submit()
    assert few.desk.runs == {}
    assert "Target Billing Invoices" in few.shown


async def test_a_retry_shows_amounts_that_changed_before_it_creates_anything(few: Bench) -> None:
    await one_created_one_failed(few)
    few.desk.invoices[2] = invoice(2, amount=Money(500, "USD"))
    await few.press("Retry Failed")
    assert len(few.desk.runs) == 1
    assert "of INV-1002 has changed" in few.shown
    assert "Total: USD 5.00" in few.shown
    await few.workspace.submit(few.anna, few.top.id)
    assert [item.invoice_id for item in few.desk.runs[2].items] == [2]
    few.desk.finish(2)
    await few.idle()
    assert {"Created: 1", "Failed: 0"} <= set(few.shown.splitlines())
    assert few.refused_calls() == []


async def test_a_retry_stays_in_its_modal_when_the_run_before_goes_on(few: Bench) -> None:
    await few.command("/invoices")
    await tick(few, "1", "2", "3")
    await few.submit()
    await few.workspace.submit(few.anna, few.top.id)
    few.desk.finish(1, only={1, 2}, failed={2: "Not allowed."})
    await few.workspace.wait_for(lambda: "Retry Failed" in buttons(few.top.payload))
    await few.workspace.press(few.anna, few.top.id, "Retry Failed")
    few.desk.finish(2)
    await few.workspace.wait_for(lambda: "Created: 1" in few.shown.splitlines())
    few.desk.finish(1)
    await few.idle()
    assert {"Created: 1", "Failed: 0"} <= set(few.shown.splitlines())


async def test_a_retry_while_the_run_goes_on_says_what_has_changed_and_leaves_its_progress(
    few: Bench,
) -> None:
    await few.command("/invoices")
    await tick(few, "1", "2")
    await few.submit()
    await few.workspace.submit(few.anna, few.top.id)
    few.desk.finish(1, only={2}, failed={2: "Not allowed."})
    await few.workspace.wait_for(lambda: "Retry Failed" in buttons(few.top.payload))
    few.desk.invoices[2] = invoice(2, amount=Money(500, "USD"))
    await few.workspace.press(few.anna, few.top.id, "Retry Failed")
    await few.workspace.wait_for(lambda: "of INV-1002 has changed" in few.shown)
    assert "Target Billing Invoices" not in few.shown
    few.desk.finish(1, only={1})
    await few.idle()
    assert {"Created: 1", "Failed: 1"} <= set(few.shown.splitlines())
    await few.press("Retry Failed")
    assert "Total: USD 5.00" in few.shown


async def test_a_link_is_asked_for_while_slack_still_redraws_the_modal(few: Bench) -> None:
    await few.command("/invoice INV-1001")
    redrawing = few.slack.faults.add(method="views.update", do="slow", seconds=math.inf)
    await few.workspace.press(few.anna, few.top.id, "Create Payment Link")
    drawn = few.top.hash
    await few.workspace.wait_for(lambda: few.desk.created == [1])
    assert few.top.hash == drawn
    few.slack.faults.remove(redrawing)
    await few.idle()
    assert "🟡 Pending Payment" in few.shown.splitlines()


@pytest.mark.parametrize("times", [1, 9])
async def test_a_list_that_slack_did_not_draw_is_drawn_again_or_said_to_be_old(
    few: Bench, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_listing, "DRAW_AGAIN", (0.01, 0.01))
    await few.command("/invoices")
    few.slack.faults.add(method="views.update", do="error", error="fatal_error", times=times)
    await few.press("Select All on This Page")
    few.slack.faults.clear()
    if times == 1:
        assert "5 of at most 100 ticked" in few.shown
    else:
        dm = few.workspace.dm_channel(few.anna)
        assert dm is not None
        assert [message.text for message in few.workspace.messages(dm)] == [bulk_listing.NOT_DRAWN]


async def test_what_a_person_sees_ticked_when_they_submit_is_ticked(few: Bench) -> None:
    """Though the list went on since, and Slack never showed how."""
    await few.command("/invoices")
    await tick(few, "1", "2")
    [selection] = few.desk.selections
    now = few.desk.selections[selection]
    few.desk.selections[selection] = replace(now, ticked=frozenset(), revision=now.revision + 1)
    await few.submit()
    assert "2 invoices" in few.shown.splitlines()
