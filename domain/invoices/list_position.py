"""Where an invoice stands: its status, and its place in list order, both derived from its amount and its link."""

from datetime import date
from typing import Protocol

from domain.database import database_clock
from domain.invoices.eligibility import own_reason
from domain.models import Invoice, Link
from domain.money import Money
from domain.reasons import Reason
from domain.states import LinkState, LinkStatus


class HowFar(Protocol):
    """How far a link has come: a row of the ORM, or the columns that were asked for."""

    @property
    def state(self) -> LinkState: ...

    @property
    def status(self) -> LinkStatus: ...


class Billed(Protocol):
    """What decides where an invoice stands: of a row of the ORM, or of the columns that were asked for."""

    @property
    def amount(self) -> int: ...

    @property
    def currency(self) -> str: ...

    @property
    def due_date(self) -> date | None: ...

    @property
    def number_key(self) -> str: ...

    @property
    def billing_state(self) -> str: ...


_NO_DUE_DATE = "9999-12-31"
POSITION_OF_DUE_DATE = len("0|9999-12-31")
"""How many characters of a position say whether the invoice is eligible, and when it is due; a bar and the number follow."""

FIRST_INELIGIBLE = "1|"
"""Where in list order the eligible ones end."""


def position(*, eligible: bool, due_date: date | None, number_key: str) -> str:
    """The place in list order, sorted byte by byte: eligible first, then by due date (none last), then by number."""
    due = _NO_DUE_DATE if due_date is None else due_date.isoformat()
    return f"{0 if eligible else 1}|{due}|{number_key}"


def standing(
    money: Money,
    link_state: LinkState | None = None,
    link_status: LinkStatus = LinkStatus.NOT_CREATED,
    billing_state: str | None = None,
) -> tuple[LinkStatus, bool]:
    """The status of an invoice, and whether it counts as eligible in list order.

    ``link_state`` and ``link_status`` are those of its link in the current ledger; None means that there is no link.
    """
    if link_state is LinkState.CREATED:
        return link_status, False
    return LinkStatus.NOT_CREATED, link_state is not LinkState.RESERVED and own_reason(
        money, billing_state
    ) is None


def standing_of(
    invoice: Billed, link_state: LinkState | None, link_status: LinkStatus
) -> tuple[LinkStatus, str]:
    """The invoice's status and position, from its amount and its link in the current ledger."""
    money = Money(invoice.amount, invoice.currency)
    status, eligible = standing(money, link_state, link_status, invoice.billing_state)
    return status, position(eligible=eligible, due_date=invoice.due_date, number_key=invoice.number_key)


def place(invoice: Invoice, link: Link | None) -> None:
    """Set the invoice's status and position; it has changed."""
    state, status = (None, LinkStatus.NOT_CREATED) if link is None else (link.state, link.status)
    invoice.status, invoice.position = standing_of(invoice, state, status)
    invoice.changed_at = database_clock()


def existing_reason(link: HowFar | None) -> Reason | None:
    """What an existing link says about creating one."""
    if link is None or link.state is LinkState.REFUSED:
        return None
    if link.state is LinkState.RESERVED:
        return Reason.BEING_CREATED
    return Reason.PAID if link.status is LinkStatus.PAID else Reason.PENDING_PAYMENT
