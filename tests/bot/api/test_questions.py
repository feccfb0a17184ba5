"""Invoices out through the API: every page, every order, every refusal of a question."""

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from domain.programs import pages
from sandbox.stripe.server import LocalStripe
from tests.bot.api.conftest import Served, invoice
from tests.bot.api.invoices import numbers
from tests.databases import on_sqlite
from tests.domain.world import ADA


async def test_any_number_can_be_asked_for(served: Served) -> None:
    numbers = ["A/1", "A%1", "A%2F1", "ä ö", "{x}", "a?b#c", "日本-1", 'quo"te', "a+b", "A\\B", ";a,b"]
    await served.ours.put(invoice(number) for number in numbers)
    for number in numbers:
        answer = await served.ours.get(f"/invoices/{quote(number, safe='')}")
        assert answer.body["number"] == number
        made = await served.ours.ask("POST", f"/invoices/{quote(number, safe='')}/payment-link")
        assert made.status == 201


async def test_a_number_that_is_not_there_is_not_found(served: Served) -> None:
    for path in ("X", "%00", "%FF", "%ED%A0%80", "x" * 3000, "%20"):
        assert (await served.ours.get(f"/invoices/{path}")).problem == "not-found", path


async def test_pages_hold_every_invoice_once_while_they_change(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE", 3)
    await served.ours.put([invoice(f"A-{n}", due_date=f"2026-11-{n + 10}") for n in range(10)])
    first = (await served.ours.get("/invoices")).body
    # What would move in a list by due date stays where it is.
    await served.ours.put([invoice(f"A-{n}", due_date=f"2026-11-{30 - n}") for n in range(10)])
    rest = (await served.ours.get(f"/invoices?cursor={first['next']}")).body
    assert [one["number"] for one in first["invoices"] + rest["invoices"]] == [f"A-{n}" for n in range(6)]
    assert await numbers(served.ours) == [f"A-{n}" for n in range(10)]


async def test_of_few_among_many_a_page_has_what_was_met(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "WALKED", 4)
    await served.ours.put([invoice(f"A-{n}", "0" if n < 8 else "5") for n in range(12)])
    for number in ("A-8", "A-9"):
        await served.ours.ask("POST", f"/invoices/A-{number[-1]}/payment-link")
    first = (await served.ours.get("/invoices?status=pending_payment")).body
    assert first["invoices"] == []
    assert first["next"] is not None
    assert await numbers(served.ours, "status=pending_payment") == ["A-8", "A-9"]
    assert await numbers(served.ours, "status=pending_payment&changed_since=2026-01-01T00:00:00Z") == [
        "A-8",
        "A-9",
    ]
    assert await numbers(served.ours, "search=a-1") == ["A-1", "A-10", "A-11"]
    assert await numbers(served.ours, "search=acme") == sorted(f"A-{n}" for n in range(12))


async def test_what_has_changed_comes_in_the_order_of_its_changes(
    served: Served, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE", 2)
    monkeypatch.setattr(pages, "COMMITTED_WITHIN", timedelta(0))
    await served.ours.put([invoice(f"A-{n}") for n in range(5)])
    as_of = (await served.ours.get("/invoices")).body["as_of"]
    assert await numbers(served.ours, f"changed_since={as_of}") == []
    await served.ours.put([invoice("A-3", description="changed"), invoice("A-0")])
    assert (await served.ours.ask("POST", "/invoices/A-1/payment-link")).status == 201
    assert await numbers(served.ours, f"changed_since={as_of}") == ["A-3", "A-1"]
    session = await stripe.open_session(stripe.links()[0]["id"])
    await stripe.pay(session["id"])
    as_of = (await served.ours.get("/invoices")).body["as_of"]
    await served.world.watching.sweep_if_due()
    assert await numbers(served.ours, f"changed_since={as_of}") == ["A-1"]
    [paid] = (await served.ours.get("/invoices?status=paid")).body["invoices"]
    assert paid["payment"]["amount"] == "1200.50"


async def test_an_exception_that_opens_or_ends_changes_its_invoice(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "COMMITTED_WITHIN", timedelta(0))
    await served.ours.put([invoice("A-1"), invoice("A-2")])
    await served.ours.ask("POST", "/invoices/A-1/payment-link")
    await served.ours.put([invoice("A-1", "7.00")])
    listed = (await served.ours.get("/invoices")).body
    opened = listed["invoices"][0]["open_exceptions"][0]["id"]
    await asyncio.sleep(0.01)
    as_of = (await served.ours.get("/invoices")).body["as_of"]
    await served.world.desk.resolve_exception(ADA, opened, "Told the buyer")
    [changed] = (await served.ours.get(f"/invoices?changed_since={as_of}")).body["invoices"]
    assert (changed["number"], changed["open_exceptions"]) == ("A-1", [])


@on_sqlite
async def test_what_is_written_down_late_is_not_left_out(served: Served) -> None:
    """Whoever asks with the last answer's moment gets what was under way then."""
    as_of = datetime.fromisoformat((await served.ours.get("/invoices")).body["as_of"])
    assert timedelta(seconds=50) < datetime.now(UTC) - as_of < timedelta(seconds=120)


@on_sqlite
async def test_a_question_that_cannot_be_read_is_refused(served: Served) -> None:
    for query in (
        "status=Paid",
        "status=",
        "changed_since=yesterday",
        "changed_since=2026-11-30",
        "changed_since=2026-11-30T00:00:00",
        "cursor=",
        "cursor=%C3%A4",
        "search=a&search=b",
        "page=2",
    ):
        assert (await served.ours.get(f"/invoices?{query}")).problem == "malformed", query


async def test_a_cursor_that_was_not_given_out_leads_nowhere(served: Served) -> None:
    for query in (
        "cursor=x",
        "cursor=WyJjaGFuZ2UiLDEsMV0",
        "cursor=WyJudW1iZXIiLCJcdTAwMDAiXQ",
        "cursor=WyJudW1iZXIiLCJhLTEiXQ&changed_since=2026-11-30T00:00:00Z",
    ):
        assert (await served.ours.get(f"/invoices?{query}")).problem == "not-found", query
