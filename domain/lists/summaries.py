"""What a list modal and the confirmation of what is ticked in it show."""

from dataclasses import dataclass
from datetime import date

from domain.money import Money
from domain.states import ListFilter, Right
from domain.summaries import InvoiceSummary, OrganisationSummary

FIRST_REVISION = 1
"""A list's as it is opened."""


@dataclass(frozen=True)
class SelectionSummary:
    """What one person has ticked in one list modal, over all its pages and filters."""

    id: int
    filter: ListFilter | None
    """None is All."""
    search: str
    revision: int
    """Goes into every block_id of the list, so that a re-rendered page forgets Slack's sticky input state."""
    ticked: frozenset[int]
    """Invoice ids; at most 100."""


@dataclass(frozen=True)
class Extent:
    """How many invoices the filter shows, and on how many pages they stand."""

    invoices: int
    pages: int | None
    """None if there are more invoices than are counted."""


@dataclass(frozen=True)
class InvoiceList:
    """One page of the list modal, in list order: eligible first, then by due date, then by number."""

    organisation: OrganisationSummary
    selection: SelectionSummary
    invoices: tuple[InvoiceSummary, ...]
    page_number: int
    has_next: bool
    today: date
    """What is overdue or not: the day in UTC."""
    extent: Extent | None = None
    """None where counting would mean searching all that there is."""
    totals: tuple[Money, ...] = ()
    """One a currency, over all that is ticked."""
    left_out: int = 0
    """How many of what was asked to be ticked the cap of 100 left out."""

    rights: frozenset[Right] = frozenset(Right)
    """What whoever has it open may do."""

    @property
    def has_previous(self) -> bool:
        return self.page_number > 1


@dataclass(frozen=True)
class Confirmation:
    """What Create would do, checked again on the server."""

    selection_id: int
    targets: tuple[InvoiceSummary, ...]
    skipped: tuple[InvoiceSummary, ...]
    totals: tuple[Money, ...]
    """One a currency, over the targets."""
    livemode: bool
    seal: str
    """Of what is shown: the same only for the same invoices, amounts and mode."""
    changed: tuple[str, ...] = ()
    """Numbers whose amount changed since the person last saw this confirmation."""
