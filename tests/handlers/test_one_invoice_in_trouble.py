"""One invoice when something is wrong: with Stripe, with Slack, with the database or with what was sent."""

from typing import Any

import pytest

from domain.errors import DatabaseUnavailable, NotEligible
from domain.reasons import Reason
from handlers.features import details
from tests.handlers.conftest import Bench
from tests.handlers.samples import invoice, organisation, with_link
from tests.handlers.shapes import buttons


async def test_a_refusal_of_stripes_is_shown_and_can_be_tried_again(bench: Bench) -> None:
    bench.invoices(invoice(1))
    bench.desk.outcome = "Your account cannot take this."
    await bench.command("/invoice INV-1001")
    await bench.press("Create Payment Link")
    assert "Your account cannot take this." in bench.shown
    assert buttons(bench.top.payload) == ["Create Payment Link", "History"]


async def test_what_is_no_longer_eligible_is_said_on_the_invoice_as_it_is(bench: Bench) -> None:
    bench.invoices(invoice(1))
    await bench.command("/invoice INV-1001")
    bench.desk.outcome = NotEligible("INV-1001", Reason.ADD_ON_MISSING)
    bench.desk.organisation = organisation(add_on=False)
    await bench.press("Create Payment Link")
    assert "Stripe Credit Card Payment Add-on" in bench.shown
    assert buttons(bench.top.payload) == ["History"]


async def test_what_nobody_foresaw_gives_a_reference_that_is_logged_too(bench: Bench) -> None:
    bench.invoices(invoice(1))
    await bench.command("/invoice INV-1001")
    bench.desk.outcome = RuntimeError("secret")
    await bench.press("Create Payment Link")
    [logged] = bench.log.named("handler.failed")
    assert logged["reference"] in bench.shown
    assert "secret" not in bench.shown
    assert buttons(bench.top.payload) == ["Create Payment Link", "History"]


async def test_an_error_in_a_modal_leaves_what_stands_there(bench: Bench) -> None:
    bench.invoices(with_link(invoice(1)))
    await bench.command("/invoice INV-1001")
    bench.desk.failure = DatabaseUnavailable()
    await bench.press("Copy Link URL")
    assert "database doesn't answer" in bench.shown
    assert "Billing Invoice Details" in bench.shown


async def test_an_error_is_told_directly_if_the_modal_shows_something_else_by_now(bench: Bench) -> None:
    bench.invoices(with_link(invoice(1)))
    await bench.command("/invoice INV-1001")
    before = bench.shown
    bench.desk.failure = DatabaseUnavailable()
    bench.slack.faults.add(method="views.update", do="error", error="hash_conflict")
    await bench.press("Copy Link URL")
    assert bench.shown == before
    [message] = bench.workspace.dms(bench.anna)
    assert "database doesn't answer" in message.text


async def test_an_error_of_a_command_is_told_to_the_person_alone(bench: Bench) -> None:
    bench.desk.failure = DatabaseUnavailable()
    await bench.command("/invoice INV-1")
    await bench.command("/invoices")
    assert ["database doesn't answer" in text for text in bench.told()] == [True, True]


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "status", "status": 500},
        {"do": "garbled", "status": 502, "body": "<html>"},
        {"do": "error", "error": "service_unavailable"},
    ],
)
async def test_a_slack_that_opens_no_modal_is_told_of(bench: Bench, fault: dict[str, Any]) -> None:
    bench.slack.faults.add(method="views.open", **fault)
    await bench.command("/invoice INV-1001")
    assert bench.told() == ["Slack didn't answer Paylink. Try again in a minute."]
    assert bench.log.named("handler.failed") == []


async def test_a_workspace_that_is_not_set_up_is_told_so(bench: Bench) -> None:
    bench.desk.organisation = organisation(team_id="T0OTHER")
    for command in ("/invoice", "/invoice INV-1", "/invoices"):
        await bench.command(command)
    assert ["isn't set up" in text for text in bench.told()] == [True] * 3


async def test_a_slow_database_shows_a_skeleton_first(bench: Bench) -> None:
    bench.invoices(invoice(1))
    bench.desk.delay = 3600
    await bench.workspace.command(bench.anna, bench.channel, "/invoice INV-1001")
    await bench.workspace.wait_for(lambda: bench.workspace.views(bench.anna))
    assert "One moment" in bench.shown
    bench.desk.hurry.set()
    await bench.idle()
    assert "Billing Invoice Details" in bench.shown


async def test_a_skeleton_says_why_nothing_comes(bench: Bench) -> None:
    bench.desk.delay = 3600
    bench.desk.failure = DatabaseUnavailable()
    await bench.workspace.command(bench.anna, bench.channel, "/invoice INV-1001")
    await bench.workspace.wait_for(lambda: bench.workspace.views(bench.anna))
    bench.desk.hurry.set()
    await bench.idle()
    assert "database doesn't answer" in bench.shown


async def test_slack_being_away_stops_no_creation_and_the_modal_shows_it_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(details, "LOOK_AGAIN", (0.01,) * 5)
    bench.invoices(invoice(1))
    await bench.command("/invoice INV-1001")
    bench.slack.faults.add(method="views.*", do="error", error="internal_error", times=4)
    await bench.press("Create Payment Link")
    assert bench.desk.created == [1]
    assert bench.log.named("view.not_updated")
    assert "🟡 Pending Payment" in bench.shown.splitlines()


async def test_an_answer_that_names_no_view_leaves_the_result_where_it_belongs(bench: Bench) -> None:
    bench.invoices(invoice(1))
    await bench.command("/invoice INV-1001")
    bench.slack.faults.add(method="views.update", do="garbled", status=200, body='{"ok": true}')
    await bench.press("Create Payment Link")
    assert "🟡 Pending Payment" in bench.shown.splitlines()
    assert bench.log.named("view.not_updated") == bench.log.named("handler.failed") == []


async def test_where_slack_opens_no_modal_it_is_said_beside_the_command_or_in_a_direct_message(
    bench: Bench,
) -> None:
    bench.invoices(invoice(1))
    words = "Slack takes no more from Paylink right now. Try again in a minute."
    bench.slack.faults.add(method="views.open", do="status", status=429, seconds=30, times=3)
    await bench.command("/invoice INV-1001")
    assert bench.told() == [words]
    await bench.workspace.global_shortcut(bench.anna, "find_invoice")
    await bench.idle()
    assert [message.text for message in bench.workspace.dms(bench.anna)] == [words]
    assert bench.log.named("handler.failed") == []
