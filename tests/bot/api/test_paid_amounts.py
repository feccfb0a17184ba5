"""What was paid is told in the currency that it was paid in, wherever it is told, whatever the invoice says by now."""

import csv
import io
from dataclasses import replace

from domain.files.exporting import export_all
from domain.money import Money
from domain.states import AnnouncementKind
from handlers.features.details import present
from handlers.views import search
from handlers.views.home import home
from handlers.views.listing import PAGE, listing
from handlers.views.messages import announcement_message
from sandbox.stripe.server import LocalStripe
from tests.bot.api.conftest import Served, invoice
from tests.databases import on_sqlite
from tests.domain.world import ADA
from tests.handlers.shapes import flat

CHANGED = "The billing amount has changed: the link asked for USD 100.00, the invoice now says JPY 15,000."


@on_sqlite
async def test_a_payment_keeps_its_currency_when_the_invoice_gets_another(
    served: Served, stripe: LocalStripe
) -> None:
    world = served.world
    await served.ours.put([invoice("A-1", "100.00")])
    await served.ours.ask("POST", "/invoices/A-1/payment-link")
    await stripe.pay(stripe.links()[0]["id"])
    await world.watching.poll_if_due()
    await world.watching.settle_due()
    await served.ours.put([invoice("A-1", "15000", currency="JPY")])
    await world.announcing.deliver_due()

    [option] = await world.desk.find_options(ADA, "A-1")
    assert search.found([option])[0]["description"]["text"] == "USD 100.00 · Paid · invoice: JPY 15,000"
    found = await world.desk.get_details(ADA, option.id)
    details = flat(present(found))
    for told in (
        "A-1 · USD 100.00 · Acme",
        "Billing amount\nJPY 15,000",
        "Amount received\nUSD 100.00",
        CHANGED,
    ):
        assert told in details
    page = replace(await world.desk.open_list(ADA, shape=PAGE), invoices=(found.invoice,))
    assert "A-1 · Acme · USD 100.00 · " in flat(listing(page))

    shown = await world.desk.get_home(ADA)
    assert shown.paid_lately.sums == (Money(10_000, "USD"),)
    assert "JPY" not in flat(home(shown)).replace(CHANGED, "")

    [announced] = [one for one in world.poster.posted if one.kind is AnnouncementKind.PAID]
    message = announcement_message(announced)["text"]
    assert "invoice A-1 of Acme, USD 100.00" in message
    assert CHANGED in message

    answer = (await served.ours.get("/invoices/A-1")).body
    assert (answer["billing_amount"], answer["currency"]) == ("15000", "JPY")
    assert (answer["payment"]["amount"], answer["payment"]["currency"]) == ("100.00", "USD")
    events = (await served.ours.get("/events?after=0")).body["events"]
    [paid] = [one for one in events if one["type"] == "paid"]
    assert (paid["amount"], paid["currency"]) == ("100.00", "USD")

    exported = io.StringIO(b"".join(export_all(world.db, world.organisation_id)).decode())
    [written] = csv.DictReader(exported)
    asked = ("billing_amount", "currency", "amount_received", "link_currency")
    assert [written[name] for name in asked] == ["15000", "JPY", "100.00", "USD"]
