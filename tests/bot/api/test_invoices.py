"""Invoices in through the API: every outcome, every refusal."""

import io
import json
from typing import Any

import pytest
import sqlalchemy as sa

from domain.models import AuditEntry, Invoice
from sandbox.stripe.server import LocalStripe
from tests.bot.api.conftest import Served, invoice
from tests.bot.api.invoices import numbers, outcomes
from tests.databases import on_sqlite


async def test_invoices_are_new_then_unchanged_then_changed(served: Served) -> None:
    sent = [invoice("A-1"), invoice("A-2", "98000", currency="JPY", due_date="2026-11-30", state="settled")]
    assert outcomes(await served.ours.put(sent)) == ["new", "new"]
    assert outcomes(await served.ours.put(sent)) == ["unchanged", "unchanged"]
    sent[0]["billing_amount"] = "7.00"
    assert outcomes(await served.ours.put(sent)) == ["changed", "unchanged"]
    found = (await served.ours.get("/invoices/a-2")).body
    assert found == {
        "number": "A-2",
        "buyer_name": "Acme",
        "buyer_email": "",
        "billing_amount": "98000",
        "currency": "JPY",
        "issue_date": None,
        "due_date": "2026-11-30",
        "description": "",
        "state": "settled",
        "status": "not_created",
        "eligible": False,
        "reason": "settled_elsewhere",
        "badges": ["settled_elsewhere"],
        "link": None,
        "payment": None,
        "open_exceptions": [],
    }


@pytest.mark.parametrize(
    ("item", "field", "word"),
    [
        (invoice("A", "1,5"), "billing_amount", "digits"),
        (invoice("A") | {"billing_amount": 1200.5}, "billing_amount", "float"),
        (invoice("A") | {"billing_amount": 1200}, "billing_amount", "float"),
        (invoice("A") | {"billing_amount": True}, "billing_amount", "string"),
        (invoice("A") | {"billing_amount": None}, "billing_amount", "missing"),
        (invoice("A", currency="XXQ"), "currency", "ISO 4217"),
        (invoice("A", due_date="2026-02-30"), "due_date", "date"),
        (invoice("A", buyer_name="  "), "buyer_name", "blank"),
        (invoice("A", paid=True), "paid", "no such field"),
        (invoice("A\u0000"), "number", "control characters"),
        (invoice(7), "number", "string"),  # type: ignore[arg-type]
        ("A", None, "object"),
        (None, None, "object"),
    ],
)
@on_sqlite
async def test_a_refused_one_says_why_and_stops_nothing(
    served: Served, item: Any, field: str | None, word: str
) -> None:
    refused, taken = await served.ours.put([item, invoice("B")])
    assert (refused["outcome"], refused["field"], taken["outcome"]) == ("refused", field, "new")
    assert word in refused["reason"]
    assert await numbers(served.ours) == ["B"]


@on_sqlite
async def test_a_name_twice_in_an_invoice_refuses_that_one_alone(served: Served) -> None:
    twice = (
        '{"number": "A", "buyer_name": "x", "billing_amount": "1", "billing_amount": "2", "currency": "USD"}'
    )
    body = f'{{"invoices": [{twice}, {json.dumps(invoice("B"))}]}}'
    answer = await served.ours.ask(
        "PUT", "/invoices", data=body, headers={"Content-Type": "application/json"}
    )
    refused, taken = answer.body["outcomes"]
    assert (refused["field"], taken["outcome"]) == ("billing_amount", "new")


@on_sqlite
async def test_of_one_number_with_two_amounts_none_is_taken(served: Served) -> None:
    answer = await served.ours.put([invoice("F-1", "600"), invoice("f-1", "50"), invoice("F-2")])
    assert outcomes(answer) == ["refused", "refused", "new"]
    assert "differs between invoices[0], invoices[1]" in answer[1]["reason"]
    assert await numbers(served.ours) == ["F-2"]


@on_sqlite
async def test_the_same_again_is_harmless_and_told(served: Served) -> None:
    answer = await served.ours.put([invoice("F-1"), invoice("F-1"), invoice("F-1", description="other")])
    assert outcomes(answer) == ["new", "unchanged", "refused"]
    assert answer[1]["reason"] == "the same as invoices[0]"


@on_sqlite
async def test_a_good_one_does_not_stand_in_for_a_bad_one_of_its_number(served: Served) -> None:
    answer = await served.ours.put([invoice("F-1", "6OO"), invoice("F-1", "50")])
    assert outcomes(answer) == ["refused", "refused"]
    assert "invoices[0] too" in answer[1]["reason"]
    assert await numbers(served.ours) == []


async def test_an_amount_that_changes_under_a_link_is_an_exception(
    served: Served, stripe: LocalStripe
) -> None:
    await served.ours.put([invoice("A-1")])
    made = await served.ours.ask("POST", "/invoices/A-1/payment-link")
    assert made.status == 201
    await served.ours.put([invoice("A-1", "7.00")])
    found = (await served.ours.get("/invoices/A-1")).body
    assert (found["link"]["amount"], found["billing_amount"]) == ("1200.50", "7.00")
    [opened] = found["open_exceptions"]
    assert (opened["kind"], opened["amount"]) == ("amount_changed", "7.00")
    assert "USD 1,200.50" in opened["what_differs"]
    [listed] = (await served.ours.get("/invoices")).body["invoices"]
    assert listed == found


@on_sqlite
async def test_what_was_put_is_in_the_audit_under_the_tokens_name(served: Served) -> None:
    await served.ours.put([invoice("A-1"), invoice("A-2", "x")])
    entries = sa.select(AuditEntry.actor, AuditEntry.subject).where(AuditEntry.action == "invoices.put")
    audited = served.world.db.run(lambda session: [tuple(row) for row in session.execute(entries)])
    assert audited == [("token:ours", "1 new, 0 changed, 0 unchanged, 1 refused")]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "malformed"),
        ("{", "malformed"),
        ("[]", "malformed"),
        ("{}", "malformed"),
        ('{"invoices": {}}', "malformed"),
        ('{"invoices": [], "invoices": []}', "malformed"),
        ('{"invoices": [], "more": 1}', "malformed"),
        ('{"invoices": [NaN]}', "malformed"),
        ('{"invoices": [' + "[" * 100_000 + "]" * 100_000 + "]}", "malformed"),
        (json.dumps({"invoices": [None] * 1_001}), "malformed"),
        (b'{"invoices": ["\xff"]}', "malformed"),
        ("x" * (4 * 1024 * 1024 + 1), "too-large"),
    ],
    ids=range(12),
)
@on_sqlite
async def test_a_body_that_cannot_be_read_is_refused(served: Served, body: str | bytes, problem: str) -> None:
    sent = io.BytesIO(body.encode() if isinstance(body, str) else body)
    answer = await served.ours.ask(
        "PUT", "/invoices", data=sent, headers={"Content-Type": "application/json"}
    )
    assert answer.problem == problem


@on_sqlite
async def test_what_is_not_json_is_refused(served: Served) -> None:
    for headers in (
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ):
        answer = await served.ours.ask("PUT", "/invoices", data=b'{"invoices": []}', headers=headers)
        assert (answer.status, answer.problem) == (415, "not-json"), headers


async def test_a_thousand_at_once(served: Served) -> None:
    assert set(outcomes(await served.ours.put([invoice(f"A-{n:04}") for n in range(1_000)]))) == {"new"}
    assert len(await numbers(served.ours)) == 1_000
    stored = served.world.db.run(lambda session: session.scalar(sa.select(sa.func.count(Invoice.id))))
    assert stored == 1_000
