"""The API beside whatever else writes: it waits for a moment, says so when that isn't enough, and loses nothing."""

import asyncio

import pytest
import sqlalchemy as sa

from domain.files.import_fields import read_fields
from domain.files.importing import take
from domain.models import Invoice
from domain.organisations import organisations
from tests.bot.api.conftest import Served, invoice
from tests.domain.factories import TEAM


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
