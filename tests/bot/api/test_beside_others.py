"""The API beside whatever else writes: it waits for a moment, says so when that isn't enough, and loses nothing."""

import asyncio
import json

import pytest
import sqlalchemy as sa

from domain.files.import_fields import read_fields
from domain.files.importing import take
from domain.models import Invoice, Link
from domain.organisations import organisations
from domain.states import ExceptionKind, Outcome
from tests.bot.api.conftest import Served, invoice
from tests.domain.factories import TEAM
from tests.domain.files.test_import_exceptions import opens
from tests.domain.links.test_bulk import finished, run, ticked


async def test_while_another_holds_the_database_it_says_so(served: Served) -> None:
    await served.ours.put([invoice("A-1")])
    with served.world.db.engine.connect() as holder:
        holder.execute(sa.text("UPDATE invoices SET description = 'held'"))
        answer = await served.ours.ask("PUT", "/invoices", json={"invoices": [invoice("A-1", "7.00")]})
        assert (answer.status, answer.problem) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        assert (await served.ours.get("/invoices/A-1")).body["billing_amount"] == "1200.50"
        holder.rollback()
    assert (await served.ours.put([invoice("A-1", "7.00")]))[0]["outcome"] == "changed"


@pytest.mark.parametrize("count", [300])
async def test_beside_an_import_and_links_every_invoice_is_taken_once(served: Served, count: int) -> None:
    organisation = served.world.db.run(organisations.get_by_team, TEAM)
    fields = {name: str(value) for name, value in invoice("").items()}
    lines = [read_fields(n, fields | {"number": f"A-{n}"}) for n in range(1, count + 1)]
    importing = asyncio.create_task(
        asyncio.to_thread(take, served.world.db, organisation, lines, now=served.world.clock())
    )
    putting = [
        served.ours.put(invoice(f"A-{n}") for n in range(first, first + 50))
        for first in range(1, count + 1, 50)
    ]
    outcomes = [one for answer in await asyncio.gather(*putting) for one in answer]
    again = served.ours.put(invoice(f"A-{n}", description="again") for n in range(1, count + 1))
    links = asyncio.gather(*(served.ours.ask("POST", f"/invoices/A-{n}/payment-link") for n in range(1, 6)))
    await asyncio.gather(again, links)
    await importing
    assert {one["outcome"] for one in outcomes} <= {"new", "unchanged"}
    assert {answer.status for answer in await links} <= {200, 201, 202}
    stored = served.world.db.run(lambda session: session.scalar(sa.select(sa.func.count(Invoice.id))))
    assert stored == count


async def test_beside_a_run_and_an_import_each_link_asks_for_its_invoice_or_is_an_exception(
    served: Served,
) -> None:
    """Amounts change all the while: before an invoice's link is reserved, while it is created, and after."""
    count, world = 18, served.world
    await served.ours.put(invoice(f"A-{n}", "1.00") for n in range(count))
    organisation = world.db.run(organisations.get_by_team, TEAM)
    begun = await run(world, await ticked(world, count))
    fields = {name: str(value) for name, value in invoice("", "2.00").items()}
    lines = [read_fields(n, fields | {"number": f"A-{n}"}) for n in range(count)]
    importing = asyncio.create_task(asyncio.to_thread(take, world.db, organisation, lines, now=world.clock()))

    async def put_again_and_again() -> None:
        for amount in ("3.00", "4.00", "5.00"):
            for first in range(0, count, 6):
                await served.ours.put(invoice(f"A-{n}", amount) for n in range(first, first + 6))

    result, _, _ = await asyncio.gather(finished(world, begun), put_again_and_again(), importing)
    assert {item.outcome for item in result.items} == {Outcome.CREATED}
    links = world.db.run(lambda session: session.scalars(sa.select(Link)).all())
    told = {one.invoice_id for one in opens(world.db) if one.kind is ExceptionKind.AMOUNT_CHANGED}
    billed = world.db.run(lambda session: dict(session.execute(sa.select(Invoice.id, Invoice.amount)).all()))
    assert told == {link.invoice_id for link in links if link.amount != billed[link.invoice_id]}
    # What was confirmed is what buyers are asked for, whatever became of the invoice.
    assert {link.amount for link in links} == {100}
    assert len(world.stripe.links()) == count
    assert {json.loads(link.request)["line_items"][0]["price_data"]["unit_amount"] for link in links} == {100}
