"""What Home and an open modal that follows its invoice show: frozen values."""

from dataclasses import dataclass
from datetime import date

from domain.import_results import ImportStanding
from domain.links.run_results import RunSummary
from domain.money import Money
from domain.states import ExceptionKind, Right
from domain.summaries import (
    Actor,
    ExceptionSummary,
    InvoiceOption,
    InvoiceSummary,
    OrganisationSummary,
    StripeState,
)


@dataclass(frozen=True)
class FollowedView:
    """A details modal that somebody has open. ``shown`` is what tells one state of it from another (handlers')."""

    view_id: str
    actor: Actor
    invoice_id: int
    carried: str
    """What the modal carries: the list that it stands on, if it stands on one."""
    shown: str


@dataclass(frozen=True)
class FollowedHome:
    """A Home that somebody has open. ``shown`` is what tells one state of it from another (handlers')."""

    actor: Actor
    shown: str


@dataclass(frozen=True)
class Tally:
    """So many invoices, and what they come to: a sum for each currency, in the order of their codes."""

    invoices: int = 0
    sums: tuple[Money, ...] = ()


@dataclass(frozen=True)
class Owed:
    """What is to be paid: of open invoices over more than nothing, by the status of their link."""

    not_created: Tally = Tally()
    pending: Tally = Tally()
    overdue: Tally = Tally()
    """Of both, those that were due before today."""
    paid: int = 0
    """How many are Paid."""


@dataclass(frozen=True)
class Steps:
    """Which steps of setting up are done."""

    stripe: bool
    channel: bool
    invoices: bool
    """Some were imported."""
    tried: bool
    """Somebody used /invoice."""
    key_is_given: bool = False
    """Whoever runs Paylink configured Stripe's key, so that nobody connects one here."""

    @property
    def done(self) -> bool:
        return self.stripe and self.channel and self.invoices and self.tried


@dataclass(frozen=True)
class HomeSummary:
    organisation: OrganisationSummary
    stripe: StripeState
    pending: int
    paid: int
    waiting: tuple[InvoiceSummary, ...]
    """Pending Payment, the oldest due first, at most five."""
    lately_paid: tuple[InvoiceSummary, ...]
    """The latest first, at most five."""
    undelivered: int
    """Announcements that wait, because there is no channel or Slack refuses them."""
    dead: int
    """Announcements that Slack refused for good or whose outcome nobody can know."""
    exceptions: int = 0
    """How many are open."""
    dead_because: tuple[str, ...] = ()
    """Slack's codes for why announcements are dead, the latest first, three at most."""
    undelivered_because: tuple[str, ...] = ()
    """The same for those that wait."""
    kinds: tuple[tuple[ExceptionKind, int], ...] = ()
    """How many exceptions are open of each kind, the most first."""
    deadlines: tuple[ExceptionSummary, ...] = ()
    """Open exceptions to which an answer is due, the nearest first, at most five."""
    failed_runs: tuple[RunSummary, ...] = ()
    """Of the last seven days, whoever asked: those of which something failed and hasn't got a link since."""
    owed: Owed | None = None
    """None until it is counted."""
    paid_lately: Tally = Tally()
    """What was received in the last seven days."""
    runs: tuple[RunSummary, ...] = ()
    """The reader's last ones."""
    imports: tuple[ImportStanding, ...] = ()
    """The reader's last ones that were begun."""
    rights: frozenset[Right] = frozenset(Right)
    """What the reader may do."""
    steps: Steps | None = None
    """The steps of setting up, until all are done."""
    ask: tuple[str, ...] = ()
    """Who may take them, by Slack's ids."""
    today: date | None = None
    """The organisation's day, by which something is overdue."""


@dataclass(frozen=True)
class InvoiceDetails:
    """An invoice, and how its organisation and Paylink stand: what the details of an invoice tell."""

    invoice: InvoiceSummary
    organisation: OrganisationSummary
    stripe: StripeState
    today: date
    """What is overdue or not: the day in UTC."""
    exceptions: tuple[ExceptionSummary, ...] = ()
    """The open ones."""
    resolved: tuple[ExceptionSummary, ...] = ()
    """Those of the last 90 days, the latest first."""
    rights: frozenset[Right] = frozenset(Right)
    """What the reader may do."""


@dataclass(frozen=True)
class Recheck:
    """What Paylink knew of an invoice before Stripe was asked about its link, and what it knows now."""

    before: InvoiceDetails
    after: InvoiceDetails


@dataclass(frozen=True)
class LookedUp:
    """What a person's words for an invoice lead to: the one that is meant, or some that may be; or nothing."""

    details: InvoiceDetails | None = None
    options: tuple[InvoiceOption, ...] = ()
    """In list order."""
    more: bool = False
    """Whether there are more than these."""
