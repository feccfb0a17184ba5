"""What programs are answered: amounts as strings in major units, moments in UTC, everything else as codes."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.money import Money
from domain.programs.offered import Refusal
from domain.programs.pages import InvoicePage
from domain.programs.putting import Outcome
from domain.reasons import BillingState, Reason
from domain.states import Badge, ExceptionKind, LinkStatus
from domain.summaries import ExceptionSummary, InvoiceSummary, LinkSummary
from handlers.words.exceptions import what_differs, what_to_do

Amount = Annotated[
    str,
    StringConstraints(pattern=r"^-?[0-9]+(\.[0-9]+)?$"),
    Field(description="In major units, with a point before decimals.", examples=["1200.50"]),
]
Currency = Annotated[
    str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="Of ISO 4217.", examples=["USD"])
]


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Link(Answer):
    """An online payment link, with the amount that it asks for: an import may have changed the invoice since."""

    url: str
    amount: Amount
    currency: Currency
    created_at: datetime
    created_by: str | None = Field(description="A person's Slack id, or `token:` and a token's name.")


class Payment(Answer):
    """The payment that made the invoice paid, in the link's currency."""

    paid_at: datetime
    amount: Amount | None
    currency: Currency | None
    stripe_payment: str | None = Field(description="Stripe's id of the payment intent.")


class OpenException(Answer):
    """Something that people must look at."""

    id: int
    kind: ExceptionKind
    since: datetime
    amount: Amount | None
    currency: Currency | None
    due_by: datetime | None = Field(description="Until when an answer is due.")
    stripe_object: str | None
    what_differs: str = Field(description="In words.")
    what_to_do: str = Field(description="In words.")


class Invoice(Answer):
    """A billing invoice with its link, its payment, and what is open about it."""

    number: str
    buyer_name: str
    buyer_email: str
    billing_amount: Amount
    currency: Currency
    issue_date: date | None
    due_date: date | None
    description: str
    state: BillingState = Field(description="What became of it elsewhere.")
    status: LinkStatus
    eligible: bool = Field(description="Whether a link can be created.")
    reason: Reason | None = Field(description="Why none can be created.")
    badges: list[Badge]
    link: Link | None
    payment: Payment | None
    open_exceptions: list[OpenException]


class InvoiceList(Answer):
    """A page of invoices."""

    invoices: list[Invoice]
    next: str | None = Field(
        description="The cursor of the next page; none after the last. A page may have few or no invoices and "
        "have a next one."
    )
    as_of: datetime = Field(description="Ask what has changed since this moment, and nothing is left out.")


class PutOutcome(Answer):
    """What became of one of the invoices."""

    number: str | None = Field(description="As it was sent, if it was.")
    outcome: Outcome
    field: str | None = Field(default=None, description="Which field is refused, if it is one.")
    reason: str | None = Field(default=None, description="Why, in words.")


class PutOutcomes(Answer):
    """The outcomes, in the order of the invoices that were sent."""

    outcomes: list[PutOutcome]


def invoice_of(found: InvoiceSummary, opens: Iterable[ExceptionSummary]) -> Invoice:
    return Invoice(
        number=found.number,
        buyer_name=found.buyer_name,
        buyer_email=found.buyer_email,
        billing_amount=found.amount.major_units,
        currency=found.amount.currency,
        issue_date=found.issue_date,
        due_date=found.due_date,
        description=found.description,
        state=_state_of(found),
        status=found.status,
        eligible=found.eligible,
        reason=found.reason,
        badges=list(found.badges),
        link=None if found.link is None else _link_of(found.link),
        payment=None if found.link is None else _payment_of(found.link),
        open_exceptions=[_exception_of(one) for one in opens],
    )


def page_of(page: InvoicePage) -> InvoiceList:
    return InvoiceList(
        invoices=[invoice_of(shown.invoice, shown.exceptions) for shown in page.invoices],
        next=page.following,
        as_of=utc(page.as_of),
    )


def refused(refusal: Refusal) -> PutOutcome:
    return PutOutcome(
        number=refusal.number, outcome=Outcome.REFUSED, field=refusal.field, reason=refusal.reason
    )


def utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _state_of(found: InvoiceSummary) -> BillingState:
    if Badge.VOID in found.badges:
        return BillingState.VOID
    return BillingState.SETTLED if Badge.SETTLED_ELSEWHERE in found.badges else BillingState.OPEN


def _link_of(link: LinkSummary) -> Link:
    return Link(
        url=link.url,
        amount=link.amount.major_units,
        currency=link.amount.currency,
        created_at=utc(link.created_at),
        created_by=link.created_by,
    )


def _payment_of(link: LinkSummary) -> Payment | None:
    if link.paid_at is None:
        return None
    amount, currency = parts(link.amount_received)
    return Payment(
        paid_at=utc(link.paid_at), amount=amount, currency=currency, stripe_payment=link.stripe_payment
    )


def _exception_of(found: ExceptionSummary) -> OpenException:
    amount, currency = parts(found.amount)
    return OpenException(
        id=found.id,
        kind=found.kind,
        since=utc(found.seen_at),
        amount=amount,
        currency=currency,
        due_by=None if found.due_by is None else utc(found.due_by),
        stripe_object=found.stripe_object or None,
        what_differs=what_differs(found),
        what_to_do=what_to_do(found),
    )


def parts(money: Money | None) -> tuple[str, str] | tuple[None, None]:
    return (None, None) if money is None else (money.major_units, money.currency)
