"""History, on the details of an invoice: who did what, in words."""

from dataclasses import fields
from datetime import timedelta

import pytest

from domain.audit import Deed, Result
from domain.audit.chain import Entry
from domain.audit.history import PAGE, History
from domain.reasons import Reason
from domain.states import Source
from handlers.views.history import history
from handlers.words.history import told
from sandbox.slack.blocks.surfaces import check_view
from tests.handlers.conftest import Bench
from tests.handlers.samples import NOW, invoice
from tests.handlers.shapes import buttons

NOTHING = {field.name: None for field in fields(Entry)}


def entry(deed: str, actor: str, **said: object) -> Entry:
    known = NOTHING | {"id": 1, "at": NOW, "actor": actor, "deed": deed, "subject": "", "result": Result.DONE}
    return Entry(**known | said)  # type: ignore[arg-type]


def asked(number: int = 1) -> Entry:
    at = NOW + timedelta(minutes=number)
    return entry(Deed.LINK_ASKED, "U0ANNA", id=number, at=at, source=Source.BUTTON, after=f"USD {number}.00")


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (asked(), "<@U0ANNA> asked for the link in Slack: USD 1.00"),
        # Of a version before, which knew neither source nor amount.
        (entry("link.reserve", "U0ANNA", result=None), "<@U0ANNA> asked for the link"),
        (
            entry(Deed.LINK_ASKED, "token:ledger", source=Source.API, result="refused", subject=Reason.PAID),
            "The program ledger asked for the link through the API, and was refused. ",
        ),
        (entry(Deed.LINK_CREATED, "Paylink", after="USD 1.00"), "The link was created: USD 1.00"),
        (entry(Deed.LINK_REFUSED, "Stripe"), "Stripe refused to create the link"),
        (
            entry(
                Deed.PAYMENT_RECORDED,
                "Stripe",
                subject="pi_1 second_payment",
                source="stripe_event",
                after="USD 1.00",
            ),
            "Stripe told by an event that the link was paid a second time: USD 1.00",
        ),
        (
            entry(Deed.REFUND_RECORDED, "Stripe", subject="re_1 succeeded", after="USD 1.00"),
            "Stripe told of a refund: USD 1.00 (succeeded)",
        ),
        (
            entry(Deed.EXCEPTION_SETTLED, "Stripe", subject="exception 3 disputed", after="dispute_won"),
            "An exception ended by itself: Dispute. ",
        ),
        (
            entry(Deed.EXCEPTION_RESOLVED, "operator:al<ice", subject="exception 3 disputed", source="cli"),
            "al&lt;ice, who runs Paylink, resolved an exception on the command line: Dispute",
        ),
        (entry(Deed.MESSAGE_POSTED, "Paylink", subject="paid C0PAY"), "It was told in <#C0PAY>"),
        (
            entry(Deed.AMOUNT_CHANGED, "operator", before="USD 1.00", after="USD 2.00"),
            "Whoever runs Paylink imported another amount: USD 1.00 → USD 2.00",
        ),
        (entry("of.a.later.version", "U0ANNA"), "<@U0ANNA>: of.a.later.version"),
    ],
)
def test_an_entry_is_told_in_words(one: Entry, words: str) -> None:
    assert told(one).startswith(words)


def test_a_full_page_of_the_longest_entries_fits_slack() -> None:
    longest = entry(Deed.AMOUNT_CHANGED, "token:" + "x" * 60, before="<" * 300, after="&" * 300)
    view = history(invoice(1), History((longest,) * PAGE, 1, has_next=True))
    assert check_view(view) == []
    assert buttons(view) == ["Previous Page", "Next Page"]


async def test_history_stands_on_the_details_and_is_turned(bench: Bench) -> None:
    bench.invoices(invoice(1))
    bench.desk.entries = [asked(number) for number in range(1, PAGE + 2)]
    await bench.command(f"/invoice {invoice(1).number}")
    await bench.press("History")
    assert f"USD {PAGE + 1}.00" in bench.shown
    assert "USD 1.00" not in bench.shown
    await bench.press("Next Page")
    assert "USD 1.00" in bench.shown
    await bench.press("Previous Page")
    assert f"USD {PAGE + 1}.00" in bench.shown
    assert bench.refused_calls() == []


async def test_an_invoice_of_which_nothing_is_known_says_so(bench: Bench) -> None:
    bench.invoices(invoice(1))
    await bench.command(f"/invoice {invoice(1).number}")
    await bench.press("History")
    assert "Nothing is written down about this invoice yet." in bench.shown
