"""A link through the API: created once, asked for as often as one likes, refused with the reason."""

import asyncio
import math
from typing import Any

import pytest
import sqlalchemy as sa

from bot.api import deeds
from domain.models import AuditEntry, Link, Organisation
from sandbox.stripe.faults.rules import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.bot.api.conftest import Answer, Served, invoice
from tests.databases import on_sqlite

PATH = "/invoices/A-1/payment-link"


@pytest.fixture
async def billed(served: Served) -> Served:
    await served.ours.put([invoice("A-1")])
    return served


async def ask(served: Served, **body: Any) -> Answer:
    return await served.ours.ask("POST", PATH, **({"json": body} if body else {}))


async def test_it_is_created_once(billed: Served, stripe: LocalStripe) -> None:
    first = await ask(billed)
    again = await ask(billed)
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert first.body["status"] == "pending_payment"
    [link] = stripe.links()
    assert first.body["link"]["url"] == link["url"]
    assert first.body["link"]["created_by"] == "token:ours"


async def test_many_at_once_get_the_same_link(billed: Served, stripe: LocalStripe) -> None:
    answers = await asyncio.gather(*(ask(billed) for _ in range(8)))
    assert {answer.status for answer in answers} <= {200, 201, 202}
    assert len(stripe.links()) == 1


@on_sqlite
async def test_who_asked_is_in_the_audit(billed: Served) -> None:
    await ask(billed)
    entries = sa.select(AuditEntry.actor).where(AuditEntry.action == "link.reserve")
    assert billed.world.db.run(lambda session: list(session.scalars(entries))) == ["token:ours"]


async def test_the_expected_amount_must_be_the_real_one(billed: Served, stripe: LocalStripe) -> None:
    for expected in (
        {"billing_amount": "1200.51", "currency": "USD"},
        {"billing_amount": "1200.50", "currency": "EUR"},
        {"billing_amount": "1200.505", "currency": "USD"},
    ):
        answer = await ask(billed, **expected)
        assert (answer.status, answer.problem) == (409, "amount-differs")
    assert stripe.links() == []
    assert (await ask(billed, billing_amount="1200.5", currency="USD")).status == 201
    # Afterwards it is the link's amount that counts.
    await billed.ours.put([invoice("A-1", "7.00")])
    assert (await ask(billed, billing_amount="7.00", currency="USD")).problem == "amount-differs"
    assert (await ask(billed, billing_amount="1200.50", currency="USD")).status == 200


@on_sqlite
async def test_an_expectation_that_cannot_be_read_creates_nothing(
    billed: Served, stripe: LocalStripe
) -> None:
    for body in (
        {"billing_amount": "1"},
        {"currency": "USD"},
        {"billing_amount": 1, "currency": "USD"},
        {"billing_amount": "1,0", "currency": "USD"},
        {"billing_amount": "1", "currency": "usd"},
        {"amount": "1"},
    ):
        assert (await ask(billed, **body)).problem == "malformed", body
    assert stripe.links() == []


@on_sqlite
async def test_an_ineligible_one_says_why(served: Served) -> None:
    for more, reason in (
        ({"billing_amount": "0"}, "not_positive"),
        ({"currency": "BGN"}, "currency_retired"),
        ({"state": "void"}, "void"),
    ):
        await served.ours.put([invoice("A-1") | more])
        answer = await ask(served)
        assert (answer.status, answer.problem, answer.body["reason"]) == (409, "not-eligible", reason)


@on_sqlite
async def test_without_the_add_on_none_is_created(billed: Served) -> None:
    billed.world.db.run(lambda session: session.execute(sa.update(Organisation).values(add_on=False)))
    assert (await ask(billed)).body["reason"] == "add_on_missing"


@on_sqlite
async def test_what_stripe_refuses_is_told_in_its_words(served: Served, stripe: LocalStripe) -> None:
    stripe.rules.least_checked = "creation"
    await served.ours.put([invoice("A-1", "0.01")])
    answer = await ask(served)
    assert (answer.status, answer.problem) == (409, "refused-by-stripe")
    assert "50" in answer.body["detail"]


async def test_while_stripe_does_not_answer_it_is_being_created(
    billed: Served, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deeds, "PATIENCE", 0.2)
    late = stripe.faults.add(FaultKind.LATE, method="POST", path="/v1/payment_links", seconds=math.inf)
    first, again = await ask(billed), await ask(billed)
    for answer in (first, again):
        assert (answer.status, answer.headers["Retry-After"]) == (202, "1")
        assert (answer.body["reason"], answer.body["link"]) == ("being_created", None)
    stripe.faults.remove(late)
    await billed.world.creation.finish()
    assert (await ask(billed)).status == 200
    assert billed.world.db.run(lambda session: session.scalar(sa.select(sa.func.count(Link.id)))) == 1
