"""Recheck Now, and details that follow their invoice, clicked through in the local Slack."""

from dataclasses import replace
from datetime import timedelta

from domain.errors import RecheckedLately, StripeUnasked
from domain.states import ExceptionKind, LinkStatus, PauseReason
from domain.summaries import InvoiceSummary
from handlers.features.following import Follower
from tests.handlers.conftest import Bench
from tests.handlers.samples import TEAM, exception, invoice, with_link
from tests.handlers.shapes import buttons


def waiting() -> InvoiceSummary:
    return with_link(invoice(1))


def paid() -> InvoiceSummary:
    return replace(waiting(), status=LinkStatus.PAID)


async def opened(bench: Bench) -> Follower:
    bench.invoices(waiting())
    await bench.command(f"/invoice {waiting().number}")
    return Follower(bench.app.office, bench.app.client, TEAM)


def updates(bench: Bench) -> int:
    return sum(call.method == "views.update" for call in bench.workspace.calls)


async def test_a_recheck_shows_what_came_of_it(bench: Bench) -> None:
    await opened(bench)
    assert "Recheck Now" in buttons(bench.top.payload)
    await bench.press("Recheck Now")
    assert "Stripe says the same." in bench.shown
    bench.desk.rechecked = paid()
    await bench.press("Recheck Now")
    assert "Stripe says something else now: it was Pending Payment, it is Paid." in bench.shown
    assert "Stripe says the same." not in bench.shown
    assert bench.refused_calls() == []


async def test_an_invoice_without_a_link_has_no_recheck(bench: Bench) -> None:
    bench.invoices(invoice(1))
    await bench.command(f"/invoice {invoice(1).number}")
    assert "Recheck Now" not in buttons(bench.top.payload)


async def test_a_recheck_that_cannot_be_is_told_with_the_invoice_as_it_is(bench: Bench) -> None:
    await opened(bench)
    bench.desk.rechecked = RecheckedLately(timedelta(seconds=12))
    bench.invoices(paid())
    await bench.press("Recheck Now")
    assert "It can be asked again in 12 seconds." in bench.shown
    assert "Paid" in bench.shown
    bench.desk.rechecked = StripeUnasked(PauseReason.STRIPE_AWAY)
    await bench.press("Recheck Now")
    assert "Stripe can't be reached right now" in bench.shown


async def test_open_details_turn_paid_by_themselves_and_only_then(bench: Bench) -> None:
    follower = await opened(bench)
    await follower.look()
    assert updates(bench) == 0
    bench.invoices(paid())
    await follower.look()
    assert "Paid" in bench.shown
    await follower.look()
    assert updates(bench) == 1
    bench.desk.exceptions = {1: exception(ExceptionKind.SECOND_PAYMENT, invoice_id=1)}
    await follower.look()
    assert "Resolve" in buttons(bench.top.payload)
    assert updates(bench) == 2
    assert bench.refused_calls() == []


async def test_of_two_processes_one_updates(bench: Bench) -> None:
    follower = await opened(bench)
    other = Follower(bench.app.office, bench.app.client, TEAM)
    bench.invoices(paid())
    seen = await bench.desk.list_followed(TEAM)
    await follower.look()
    for view in seen:
        assert not await bench.desk.mark_followed(view, "whatever")
    await other.look()
    assert updates(bench) == 1


async def test_a_copy_view_on_top_stays_there(bench: Bench) -> None:
    follower = await opened(bench)
    root = bench.top.id
    await bench.press("Copy Link URL")
    top = bench.top.id
    bench.invoices(paid())
    await follower.look()
    assert bench.top.id == top != root
    assert "Press Ctrl+C or ⌘C." in bench.shown
    assert "Paid" in str(bench.workspace.view(root).payload)


async def test_details_that_were_redrawn_meanwhile_are_shown_as_the_invoice_is(bench: Bench) -> None:
    follower = await opened(bench)
    [view] = await bench.desk.list_followed(TEAM)
    await bench.app.client.views_update(view_id=view.view_id, view=_plain(bench))
    bench.invoices(paid())
    await follower.look()
    assert "Paid" in bench.shown
    assert bench.refused_calls() == ["views.update: hash_conflict"]


def _plain(bench: Bench) -> dict[str, object]:
    kept = ("type", "title", "blocks", "private_metadata", "callback_id")
    return {name: bench.top.payload[name] for name in kept}


async def test_closed_details_are_forgotten(bench: Bench) -> None:
    follower = await opened(bench)
    await bench.workspace.close(bench.anna, bench.top.id)
    bench.invoices(paid())
    await follower.look()
    assert bench.desk.followed == {}


async def test_a_slack_that_is_away_disturbs_nothing_and_is_asked_again_later(bench: Bench) -> None:
    follower = await opened(bench)
    bench.invoices(paid())
    [before] = await bench.desk.list_followed(TEAM)
    url = bench.app.client.base_url
    bench.app.client.base_url = "http://127.0.0.1:9/api/"
    await follower.look()
    bench.app.client.base_url = url
    assert await bench.desk.list_followed(TEAM) == (before,)
    assert bench.log.named("view.not_updated")
    await follower.look()
    assert "Paid" not in bench.shown
    follower._not_before = 0.0
    await follower.look()
    assert "Paid" in bench.shown
