"""The events of the feed as programs get them, a shape for each type."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from bot.api.answers import Amount, Answer, Currency
from domain.feed.reading import FeedPage, Happened
from domain.models import EPOCH
from domain.money import Money
from domain.states import ExceptionKind, FeedKind


class _Event(Answer):
    position: int = Field(description="Of two events the later one has the greater.")
    at: datetime = Field(description="When Paylink wrote it down.")
    invoice_number: str | None


class LinkCreated(_Event):
    type: Literal["link_created"]
    url: str
    amount: Amount
    currency: Currency


class Paid(_Event):
    """The invoice was paid through its link."""

    type: Literal["paid"]
    amount: Amount
    currency: Currency
    paid_at: datetime
    stripe_payment: str | None


class Refunded(_Event):
    """Money went back to the buyer: ``amount`` of what was ``paid``, ``refunded_in_all`` with earlier refunds."""

    type: Literal["refunded"]
    amount: Amount
    currency: Currency
    paid: Amount
    refunded_in_all: Amount
    stripe_refund: str
    stripe_payment: str


class Disputed(_Event):
    """The buyer's bank asks money back, or, as an ``inquiry``, only asks."""

    type: Literal["disputed"]
    amount: Amount
    currency: Currency
    inquiry: bool
    reason: str | None = Field(description="Stripe's code.")
    due_by: datetime | None
    stripe_dispute: str
    stripe_payment: str


class ExceptionOpened(_Event):
    """There is something that people must look at."""

    type: Literal["exception_opened"]
    exception: int
    kind: ExceptionKind
    amount: Amount | None
    currency: Currency | None
    due_by: datetime | None
    stripe_object: str | None


class ExceptionResolved(_Event):
    """Somebody dealt with it, or it ended by itself."""

    type: Literal["exception_resolved"]
    exception: int
    kind: ExceptionKind
    by: str
    reason: str = Field(description="In a person's words, or a code where it ended by itself.")


Event = Annotated[
    LinkCreated | Paid | Refunded | Disputed | ExceptionOpened | ExceptionResolved,
    Field(discriminator="type"),
]


class EventList(Answer):
    """The next events, in order."""

    events: list[Event]
    next: int = Field(description="The position to ask after next time.")
    has_more: bool = Field(description="Whether there are more right now.")


def page_of(page: FeedPage) -> EventList:
    return EventList(events=[_event_of(one) for one in page.events], next=page.last, has_more=page.has_more)


def _event_of(one: Happened) -> Event:
    common: dict[str, Any] = {
        "position": one.position,
        "at": one.at.astimezone(UTC),
        "invoice_number": one.invoice_number,
        **_amount(one.facts.get("amount")),
    }
    facts = one.facts
    match one.kind:
        case FeedKind.LINK_CREATED:
            return LinkCreated(type="link_created", url=facts["url"], **common)
        case FeedKind.PAID:
            return Paid(
                type="paid",
                paid_at=_moment(facts["paid_at"]),
                stripe_payment=facts["stripe_payment"],
                **common,
            )
        case FeedKind.REFUNDED:
            return Refunded(
                type="refunded",
                paid=_amount(facts["paid"])["amount"],
                refunded_in_all=_amount(facts["refunded_in_all"])["amount"],
                stripe_refund=facts["stripe_id"],
                stripe_payment=facts["stripe_payment"],
                **common,
            )
        case FeedKind.DISPUTED:
            return Disputed(
                type="disputed",
                inquiry=facts["inquiry"],
                reason=facts["reason"] or None,
                due_by=_moment(facts["due_by"]),
                stripe_dispute=facts["stripe_id"],
                stripe_payment=facts["stripe_payment"],
                **common,
            )
        case FeedKind.EXCEPTION_OPENED:
            return ExceptionOpened(
                type="exception_opened",
                exception=facts["exception"],
                kind=ExceptionKind(facts["kind"]),
                due_by=_moment(facts["due_by"]),
                stripe_object=facts["stripe_object"] or None,
                **common,
            )
        case FeedKind.EXCEPTION_RESOLVED:
            del common["amount"], common["currency"]
            return ExceptionResolved(
                type="exception_resolved",
                exception=facts["exception"],
                kind=ExceptionKind(facts["kind"]),
                by=facts["by"],
                reason=facts["reason"],
                **common,
            )


def _amount(written: list[Any] | None) -> dict[str, Any]:
    if written is None:
        return {"amount": None, "currency": None}
    money = Money(*written)
    return {"amount": money.major_units, "currency": money.currency}


def _moment(written: int | None) -> Any:
    return None if written is None else EPOCH + timedelta(milliseconds=written)
