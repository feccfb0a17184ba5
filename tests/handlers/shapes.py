"""What the desk may answer, in every shape that a view must bear, and ways to read a view."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from domain.lists.summaries import Extent, InvoiceList, SelectionSummary
from domain.money import Money
from domain.reasons import Reason
from domain.states import Badge, LinkStatus, Outcome
from domain.summaries import BulkItem, BulkResult, InvoiceSummary, StripeState
from handlers.views.listing import PAGE
from tests.handlers.samples import NOW, invoice, organisation, paid, with_link

Json = dict[str, Any]

TODAY = NOW.date()
STRIPE = StripeState(False, NOW, None)

LARGEST = Money(10**15, "USD")


def texts(value: Any) -> Iterator[str]:
    """Every text that a view shows, in order."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name in ("text", "initial_value") and isinstance(each, str):
                yield each
            else:
                yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


def flat(view: Json) -> str:
    return "\n".join(texts(view["blocks"]))


def buttons(view: Json) -> list[str]:
    """What the buttons of a view say."""
    found = []
    for block in view["blocks"]:
        for element in [*block.get("elements", []), block.get("accessory", {})]:
            if element.get("type") == "button":
                found.append(element["text"]["text"])
    return found


def tick_groups(view: Json) -> list[Json]:
    return [
        block
        for block in view["blocks"]
        if block["type"] == "actions" and block["elements"][0]["type"] == "checkboxes"
    ]


def standings(one: InvoiceSummary) -> dict[str, InvoiceSummary]:
    """The invoice in every state that it can be in."""
    linked = with_link(one)
    return {
        "eligible": one,
        "refused": replace(one, refusal="Stripe says no. " * 500),
        "being_created": replace(one, reason=Reason.BEING_CREATED),
        "zero": replace(one, amount=Money(0, "USD"), reason=Reason.NOT_POSITIVE),
        "negative": replace(one, amount=Money(-LARGEST.amount, "USD"), reason=Reason.NOT_POSITIVE),
        "pending": linked,
        "changed": replace(linked, amount=LARGEST),
        "long_url": with_link(one, url="https://buy.stripe.com/" + "x" * 3000),
        "exception": with_link(one, exception=True),
        "paid": paid(one),
        "reversed": replace(paid(one, exception=True), badges=(Badge.REFUNDED, Badge.DISPUTE_LOST)),
        "no_dates": replace(one, due_date=None, buyer_email=""),
        "tiny": replace(one, amount=Money(1, "USD")),
    }


def selection(**changes: Any) -> SelectionSummary:
    return replace(SelectionSummary(7, LinkStatus.NOT_CREATED, "", 3, frozenset()), **changes)


def page(invoices: list[InvoiceSummary], **changes: Any) -> InvoiceList:
    return replace(
        InvoiceList(organisation(), selection(), tuple(invoices), 2, True, TODAY, Extent(231, 3)), **changes
    )


def run(outcomes: dict[Outcome, int], **changes: Any) -> BulkResult:
    items: list[BulkItem] = []
    for outcome, number in outcomes.items():
        for _ in range(number):
            n = len(items) + 1
            item = BulkItem(
                n,
                f"INV-{n}",
                outcome,
                reason=Reason.PAID if outcome is Outcome.SKIPPED else None,
                refusal="Refused." if outcome is Outcome.FAILED else None,
                url=f"https://buy.stripe.com/test_{n}" if outcome is Outcome.CREATED else None,
            )
            items.append(replace(item, **changes))
    return BulkResult(9, 1, "U0ANNA", NOW, tuple(items), "V1")


def full_pages() -> dict[str, list[InvoiceSummary]]:
    everybody = [invoice(n) for n in range(1, 101)]
    rows = [with_link(invoice(n)) for n in range(1, PAGE.rows + 1)]
    mixed = everybody[:25] + [paid(one) for one in rows[25 : 25 + PAGE.rows - 3]]
    return {"eligible": everybody, "rows": rows, "mixed": mixed, "empty": []}
