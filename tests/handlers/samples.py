"""Invoices and an organisation for tests, with everything that a test doesn't care about already said."""

from dataclasses import replace
from datetime import UTC, date, datetime

from domain.invoices.eligibility import ineligible_because
from domain.money import Money
from domain.reasons import Reason
from domain.states import ExceptionKind, LinkStatus
from domain.summaries import (
    ExceptionFacts,
    ExceptionSummary,
    InvoiceSummary,
    LinkSummary,
    OrganisationSummary,
)

TEAM = "T0PAYLINK1"
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def organisation(**changes: object) -> OrganisationSummary:
    made = OrganisationSummary(1, TEAM, "Paylink Test", True, "C0PAYMENTS", None, NOW)
    return replace(made, **changes)  # type: ignore[arg-type]


def invoice(id: int, number: str | None = None, **changes: object) -> InvoiceSummary:
    """An eligible invoice over USD 1,200.50, with whatever is different about it."""
    amount = changes.get("amount", Money(120_050, "USD"))
    assert isinstance(amount, Money)
    made = InvoiceSummary(
        id=id,
        number=number or f"INV-{1000 + id}",
        buyer_name="Acme Corporation",
        buyer_email="billing@acme.example",
        amount=amount,
        issue_date=date(2026, 10, 1),
        due_date=date(2026, 11, 30),
        description="",
        status=LinkStatus.NOT_CREATED,
        reason=ineligible_because(amount, None),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def exception(kind: ExceptionKind, id: int = 1, **changes: object) -> ExceptionSummary:
    """An open exception of INV-1001, whose link asks for USD 1,200.50."""
    made = ExceptionSummary(
        id,
        kind,
        NOW,
        Money(900, "USD"),
        ExceptionFacts(expected=Money(120_050, "USD")),
        invoice_id=1,
        number="INV-1001",
        buyer_name="Acme Corporation",
        stripe_object="pi_1",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def with_link(one: InvoiceSummary, **changes: object) -> InvoiceSummary:
    """The invoice with a link that waits for payment."""
    url = f"https://buy.stripe.com/test_{one.id}"
    link = replace(LinkSummary(url, one.amount, NOW, "U0ANNA"), **changes)  # type: ignore[arg-type]
    return replace(one, status=LinkStatus.PENDING_PAYMENT, reason=Reason.PENDING_PAYMENT, link=link)


def paid(one: InvoiceSummary, **changes: object) -> InvoiceSummary:
    facts = {"paid_at": NOW, "amount_received": one.amount, "stripe_payment": "pi_1"} | changes
    return replace(with_link(one, **facts), status=LinkStatus.PAID, reason=Reason.PAID)
