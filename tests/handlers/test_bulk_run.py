"""From Create to the result of a bulk run: begun once, followed in its modal, tried again, and sent as a file."""

import asyncio

import pytest

from domain.errors import DatabaseUnavailable, RunNotFound
from domain.money import Money
from handlers.bolt import acknowledging
from handlers.words.sentences import sentence
from tests.handlers.conftest import Bench
from tests.handlers.samples import TEAM, invoice, paid
from tests.handlers.shapes import buttons
from tests.handlers.test_many_invoices import choose, tick


async def test_from_a_hundred_ticks_to_a_hundred_links(many: Bench) -> None:
    await many.command("/invoices")
    root = many.top.id
    await many.press("Select All on This Page")
    await many.submit()
    assert "Create Invoice Online Payment Links" in many.shown
    assert "Total: USD 120,050.00" in many.shown
    await many.workspace.submit(many.anna, many.top.id)
    lines = many.shown.splitlines()
    assert {"Created: 0", "Being created: 100"} <= set(lines)
    many.desk.finish(1)
    await many.idle()
    assert {"Created: 100", "Skipped: 0", "Failed: 0", "Being created: 0"} <= set(many.shown.splitlines())
    assert "INV-1001\thttps://buy.stripe.com/test_1" in many.shown
    underneath = many.workspace.view(root)
    assert " ticked" not in str(underneath.payload)
    assert many.refused_calls() == []


async def test_create_delivered_twice_begins_one_run(many: Bench) -> None:
    await many.command("/invoices")
    await tick(many, 0, 1)
    await many.submit()
    many.slack.faults.add(method="deliver.interactive", do="twice")
    await many.workspace.submit(many.anna, many.top.id)
    assert len(many.desk.runs) == 1
    many.desk.finish(1)
    await many.idle()
    assert many.log.named("handler.failed") == []


async def test_create_is_not_acknowledged_with_a_result_if_the_run_was_not_committed(many: Bench) -> None:
    await many.command("/invoices")
    await tick(many, 0, 1)
    await many.submit()
    many.desk.failure = DatabaseUnavailable()
    await many.submit()
    assert "Create Invoice Online Payment Links" in many.shown
    assert "database doesn't answer" in many.shown
    many.desk.failure = None
    await many.workspace.submit(many.anna, many.top.id)
    many.desk.finish(1)
    await many.idle()
    assert "Created: 1" in many.shown


async def test_amounts_that_changed_are_confirmed_again(many: Bench) -> None:
    await many.command("/invoices")
    await tick(many, 0, 1, 2)
    await many.submit()
    many.desk.invoices[2] = invoice(2, amount=Money(500, "USD"))
    await many.submit()
    assert many.desk.runs == {}
    assert "of INV-1002 has changed" in many.shown
    assert "Total: USD 1,205.50" in many.shown
    await many.workspace.submit(many.anna, many.top.id)
    assert len(many.desk.runs) == 1
    many.desk.finish(1)
    await many.idle()


async def test_what_will_be_skipped_is_said_with_its_reason(many: Bench) -> None:
    await many.command("/invoices")
    await tick(many, 0, 1, 2)
    many.desk.invoices[2] = paid(invoice(2))
    await many.submit()
    assert "1 invoice will be skipped" in many.shown
    assert "It has been paid." in many.shown
    await many.click("choose_copy", "choose_copy", "2")
    assert many.block("payment_link_url")


async def finished_with_a_failure(bench: Bench) -> None:
    await bench.command("/invoices")
    await tick(bench, 0, 1, 2)
    await bench.submit()
    await bench.workspace.submit(bench.anna, bench.top.id)
    bench.desk.finish(1, failed={2: "Not allowed."})
    await bench.idle()


async def test_what_failed_can_be_retried_in_the_same_modal(many: Bench) -> None:
    await finished_with_a_failure(many)
    assert "Not allowed." in many.shown
    many.slack.faults.add(method="deliver.interactive", do="twice")
    await many.workspace.press(many.anna, many.top.id, "Retry Failed")
    assert len(many.desk.runs) == 2
    many.desk.finish(2)
    await many.idle()
    assert {"Created: 1", "Failed: 0"} <= set(many.shown.splitlines())
    assert "Retry Failed" not in buttons(many.top.payload)


async def test_a_result_that_slack_missed_is_shown_when_it_is_back(many: Bench) -> None:
    await many.command("/invoices")
    await tick(many, 0, 1)
    await many.submit()
    await many.workspace.submit(many.anna, many.top.id)
    many.slack.faults.add(method="views.update", do="status", status=503, times=4)
    many.desk.finish(1)
    await many.idle()
    assert many.log.named("view.not_updated")
    assert {"Created: 1", "Being created: 0"} <= set(many.shown.splitlines())


async def test_once_the_app_is_removed_a_run_asks_slack_no_more(many: Bench) -> None:
    await many.command("/invoices")
    await tick(many, 0, 1)
    await many.submit()
    await many.workspace.submit(many.anna, many.top.id)
    removed = many.slack.faults.add(
        method="views.update", do="error", error="account_inactive", containing="Being created", times=None
    )
    await many.idle()
    assert removed.struck == 1


async def test_the_list_is_answered_in_time_however_long_the_database_takes(
    many: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many.command("/invoices")
    await tick(many, 0, 1)
    monkeypatch.setattr(acknowledging, "ACK_SECONDS", 0.1)
    many.desk.delay = 3600
    outcome = await many.workspace.submit(many.anna, many.top.id)
    assert outcome.acked
    assert list(outcome.errors.values()) == [sentence(DatabaseUnavailable())]
    many.desk.hurry.set()
    await many.idle()


async def test_a_run_that_commits_after_the_answer_goes_on_in_the_same_modal(
    many: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many.command("/invoices")
    await tick(many, 0, 1)
    await many.submit()
    monkeypatch.setattr(acknowledging, "ACK_SECONDS", 0.1)
    many.desk.delay = 3600
    outcome = await many.workspace.submit(many.anna, many.top.id)
    assert outcome.acked
    assert str(sentence(DatabaseUnavailable())) in many.shown
    many.desk.hurry.set()
    await many.workspace.wait_for(lambda: many.desk.runs)
    many.desk.delay = 0.0
    many.desk.finish(1)
    await many.idle()
    assert "Created: 1" in many.shown.splitlines()


async def test_after_a_restart_the_progress_goes_on_in_the_same_modal(many: Bench) -> None:
    await many.command("/invoices")
    await tick(many, 0, 1, 2)
    await many.submit()
    await many.workspace.submit(many.anna, many.top.id)
    for task in many.tasks:
        task.cancel()
    await asyncio.gather(*many.tasks, return_exceptions=True)
    await many.app.take_up({"T0OTHER": many.app.client}.get)
    assert many.tasks == set()
    await many.app.take_up({TEAM: many.app.client}.get)
    many.desk.finish(1)
    await many.idle()
    assert "Created: 2" in many.shown


async def test_the_result_leads_to_the_copy_view(many: Bench) -> None:
    await finished_with_a_failure(many)
    await many.click("choose_copy", "choose_copy", "1")
    assert many.block("payment_link_url")
    assert len(many.workspace.views(many.anna)) == 3


async def test_files_of_the_list_and_of_the_result_come_as_direct_messages(many: Bench) -> None:
    await finished_with_a_failure(many)
    await many.press("Download")
    await many.press("Excel")
    assert "bulk-run-1.xlsx is in your direct messages" in many.shown
    await many.workspace.close(many.anna, many.top.id)
    await many.workspace.close(many.anna, many.top.id)
    await choose(many, "filter-", "list_filter", "All")
    await many.press("Download")
    await many.press("CSV")
    contents = [file.content for file in many.workspace.files]
    assert contents == [b"xlsx\nrun 1\n", b"csv\nNone,\n"]
    dm = many.workspace.dm_channel(many.anna)
    assert [file.channels for file in many.workspace.files] == [[dm], [dm]]
    assert many.refused_calls() == []


async def test_a_run_of_somebody_else_is_not_found(many: Bench) -> None:
    await finished_with_a_failure(many)
    many.desk.failure = RunNotFound()
    await many.press("Retry Failed")
    assert "doesn't exist" in many.shown
