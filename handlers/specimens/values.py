"""What the specimens are made of: an invoice in each state, an exception, a bulk run, an import."""

from dataclasses import replace
from datetime import UTC, date, datetime

from domain.import_results import ImportCounts, ImportStanding
from domain.money import Money
from domain.reasons import Reason
from domain.states import (
    Badge,
    ExceptionKind,
    ImportState,
    LinkStatus,
    Outcome,
    Settlement,
)
from domain.summaries import (
    BulkItem,
    BulkResult,
    ExceptionFacts,
    ExceptionSummary,
    InvoiceSummary,
    LinkSummary,
    OrganisationSummary,
    StripeState,
)

NOW = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
AMOUNT = Money(120_050, "USD")
ADA = "U0000000001"
CHANNEL = "C0000000001"

ORGANISATION = OrganisationSummary(1, "T0000000001", "Paylink", True, CHANNEL, "is_archived", NOW)
STRIPE = StripeState(False, NOW, None)
COUNTS = ImportCounts(new=7, changed=2, unchanged=3, refused=1, left_out=1)


def invoice(number: int) -> InvoiceSummary:
    return InvoiceSummary(
        id=number,
        number=f"INV-{number}",
        buyer_name="Acme & Sons <Ltd.>",
        buyer_email="billing@acme.example",
        amount=AMOUNT,
        issue_date=date(2026, 10, 1),
        due_date=date(2026, 11, 15),
        description="Hosting, support and a very good lunch",
        status=LinkStatus.NOT_CREATED,
        reason=None,
    )


def pending(number: int) -> InvoiceSummary:
    link = LinkSummary(f"https://buy.stripe.com/test_{number}", AMOUNT, NOW, ADA)
    return replace(
        invoice(number), status=LinkStatus.PENDING_PAYMENT, reason=Reason.PENDING_PAYMENT, link=link
    )


def paid(number: int) -> InvoiceSummary:
    linked = pending(number)
    assert linked.link is not None
    link = replace(linked.link, paid_at=NOW, amount_received=AMOUNT, stripe_payment="pi_1", exception=True)
    badges = (Badge.PARTLY_REFUNDED, Badge.DISPUTED)
    return replace(linked, status=LinkStatus.PAID, reason=Reason.PAID, link=link, badges=badges)


def exception(kind: ExceptionKind, number: int = 1) -> ExceptionSummary:
    facts = ExceptionFacts(
        expected=AMOUNT,
        so_far=Money(900, "USD"),
        whole=AMOUNT,
        reason="fraudulent",
        ended=Settlement.DISPUTE_WON,
    )
    return ExceptionSummary(
        number, kind, NOW, Money(900, "USD"), facts, 1, f"INV-{number}", "Acme", "pi_1", due_by=NOW
    )


def bulk_run() -> BulkResult:
    items = [
        BulkItem(
            n,
            f"INV-{n}",
            outcome,
            reason=Reason.PAID if outcome is Outcome.SKIPPED else None,
            refusal="The amount is too small." if outcome is Outcome.FAILED else None,
            url=f"https://buy.stripe.com/test_{n}" if outcome is Outcome.CREATED else None,
        )
        for n, outcome in enumerate([outcome for outcome in Outcome for _ in range(8)], start=1)
    ]
    return BulkResult(1, 1, ADA, NOW, tuple(items), "V0000000001")


def standing(state: ImportState) -> ImportStanding:
    return ImportStanding(1, "invoices.csv", state, COUNTS, COUNTS)
