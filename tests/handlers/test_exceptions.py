"""The list of exceptions, and resolving one, clicked through in the local Slack."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.errors import DatabaseUnavailable
from domain.states import ExceptionKind
from domain.summaries import Actor, ExceptionPage, Resolution
from handlers.references import ResolveReference
from handlers.views.details import details
from handlers.views.exceptions import exceptions, resolving
from sandbox.slack.blocks.surfaces import check_view
from tests.handlers.conftest import Bench
from tests.handlers.hostile import HOSTILE
from tests.handlers.samples import NOW, TEAM, exception, invoice, organisation, with_link
from tests.handlers.shapes import STRIPE, TODAY, buttons, flat

BEN = Actor(TEAM, "U0BEN")


def given(
    bench: Bench, count: int = 1, kind: ExceptionKind = ExceptionKind.SECOND_PAYMENT, **changes: Any
) -> None:
    bench.invoices(*(with_link(invoice(n)) for n in range(1, count + 1)))
    bench.desk.exceptions = {
        n: exception(
            kind,
            n,
            **{"invoice_id": n, "number": f"INV-{1000 + n}"} | changes,
        )
        for n in range(1, count + 1)
    }


async def resolve(bench: Bench, reason: str = "Refunded it") -> None:
    await bench.click("exception-1", "resolve_exception")
    await bench.workspace.type(bench.anna, bench.top.id, "reason", "reason", reason)
    await bench.submit()


async def test_the_command_lists_what_needs_attention(bench: Bench) -> None:
    given(bench, due_by=NOW + timedelta(days=2))
    await bench.command("/invoice exceptions")
    lines = bench.shown.splitlines()
    assert lines[0] == "Exceptions"
    for part in (
        "INV-1001",
        "Acme Corporation",
        "A second payment of USD 9.00",
        "Look at both payments",
        "Since",
    ):
        assert part in bench.shown
    assert "An answer is due by" in bench.shown
    assert buttons(bench.top.payload) == ["Details", "Resolve"]
    assert bench.refused_calls() == []


async def test_with_none_nothing_needs_attention(bench: Bench) -> None:
    await bench.command("/invoice Exceptions")
    assert "Nothing needs attention." in bench.shown


async def test_resolving_asks_for_a_reason_and_takes_it_off_the_list(bench: Bench) -> None:
    given(bench, 2)
    await bench.command("/invoice exceptions")
    await bench.click("exception-1", "resolve_exception")
    assert "Resolve Exception" in bench.shown.splitlines()
    assert "Reason" in bench.shown
    assert "A second payment of USD 9.00" in bench.shown
    await bench.workspace.type(bench.anna, bench.top.id, "reason", "reason", "Refunded\nit")
    await bench.submit()
    resolution = bench.desk.exceptions[1].resolution
    assert resolution is not None
    assert (resolution.by, resolution.reason) == (bench.anna, "Refunded\nit")
    assert "INV-1001" not in bench.shown
    assert "INV-1002" in bench.shown
    assert bench.refused_calls() == []


async def test_a_reason_of_blanks_is_asked_for_again(bench: Bench) -> None:
    given(bench)
    await bench.command("/invoice exceptions")
    await resolve(bench, "   ")
    assert bench.desk.exceptions[1].resolution is None
    assert "Write down how it was dealt with" in str(bench.top.shown_errors)


async def test_the_second_reads_who_was_first(bench: Bench) -> None:
    given(bench)
    await bench.command("/invoice exceptions")
    await bench.click("exception-1", "resolve_exception")
    await bench.desk.resolve_exception(BEN, 1, "Called the buyer")
    await bench.workspace.type(bench.anna, bench.top.id, "reason", "reason", "Refunded it")
    await bench.submit()
    for part in ("resolved already", "<@U0BEN>", "Called the buyer"):
        assert part in bench.shown
    assert "submit" not in bench.top.payload


async def test_one_that_has_ended_shows_so_instead_of_asking(bench: Bench) -> None:
    given(bench)
    await bench.command("/invoice exceptions")
    bench.desk.exceptions[1] = replace(
        bench.desk.exceptions[1], resolution=Resolution(NOW, "Stripe", "refunded")
    )
    await bench.click("exception-1", "resolve_exception")
    assert "It was resolved by Stripe" in bench.shown
    assert "refunded in full" in bench.shown


async def test_details_stand_on_the_list_and_resolve_on_them(bench: Bench) -> None:
    given(bench)
    await bench.command("/invoice exceptions")
    await bench.click("exception-1", "exception_details")
    assert "Billing Invoice Details" in bench.shown
    assert "Exception: A second payment of USD 9.00" in bench.shown
    await resolve(bench)
    # Both below it are up to date.
    assert "Second payment: resolved by <@U0ANNA>" in bench.shown
    await bench.workspace.close(bench.anna, bench.top.id)
    await bench.idle()
    assert "Nothing needs attention." in bench.shown
    assert bench.refused_calls() == []


async def test_details_by_themselves_show_and_resolve_it(bench: Bench) -> None:
    given(bench)
    await bench.command("/invoice INV-1001")
    await resolve(bench)
    assert "resolved by <@U0ANNA>" in bench.shown
    assert "Refunded it" in bench.shown
    assert buttons(bench.top.payload) == ["Copy Link URL", "Open Link", "Recheck Now", "History"]


async def test_pages_of_twenty(bench: Bench) -> None:
    given(bench, 45)
    await bench.command("/invoice exceptions")
    assert "45 exceptions in all" in bench.shown
    assert buttons(bench.top.payload).count("Resolve") == 20
    await bench.press("Next Page")
    await bench.press("Next Page")
    assert [label for label in buttons(bench.top.payload) if "Page" in label] == ["Previous Page"]
    assert buttons(bench.top.payload).count("Resolve") == 5
    await bench.press("Previous Page")
    assert "INV-1021" in bench.shown


async def test_home_counts_them_and_leads_there(bench: Bench) -> None:
    given(bench, 3)
    await bench.workspace.open_home(bench.anna)
    await bench.idle()
    shown = bench.workspace.home(bench.anna)
    assert shown is not None
    assert "Exceptions: 3" in flat(shown.payload).splitlines()
    await bench.press("Exceptions", shown.id)
    assert "INV-1003" in bench.shown


async def test_an_unknown_invoice_has_no_details(bench: Bench) -> None:
    given(bench, invoice_id=None, number=None, buyer_name=None, kind=ExceptionKind.PAYMENT_UNKNOWN)
    await bench.command("/invoice exceptions")
    assert "An invoice that isn't known" in bench.shown
    assert buttons(bench.top.payload) == ["Resolve"]


async def test_a_database_that_is_away_is_said_beside_the_reason(bench: Bench) -> None:
    given(bench)
    await bench.command("/invoice exceptions")
    await bench.click("exception-1", "resolve_exception")
    await bench.workspace.type(bench.anna, bench.top.id, "reason", "reason", "Refunded it")
    bench.desk.failure = DatabaseUnavailable()
    await bench.submit()
    assert "database doesn't answer" in str(bench.top.shown_errors)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_breaks_no_view(text: str) -> None:
    hostile = HOSTILE[text]
    for kind in ExceptionKind:
        one = exception(kind, number=hostile[:60].strip() or "x", buyer_name=hostile)
        ended = replace(one, resolution=Resolution(NOW, "U0ANNA", hostile[:500]))
        page = ExceptionPage(tuple(replace(one, id=n) for n in range(20)), 1, True, 60)
        reference = ResolveReference(1, "exceptions:1")
        shown = with_link(invoice(1))
        for view in (
            exceptions(page),
            resolving(one, reference),
            resolving(ended, reference),
            details(
                shown,
                organisation(),
                STRIPE,
                today=TODAY,
                exceptions=[replace(one, id=n) for n in range(20)],
                resolved=[ended] * 20,
            ),
        ):
            assert check_view(view) == []
