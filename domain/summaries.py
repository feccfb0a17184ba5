"""What services return: frozen values. No ORM row and no session ever leaves a transaction."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Self

from domain.money import Money
from domain.reasons import Reason
from domain.states import (
    Badge,
    ExceptionKind,
    LinkStatus,
    Outcome,
    PauseReason,
    Right,
    Source,
)

PROGRAM = "token:"
"""What a program's name begins with wherever people's ids stand: in the audit, and in who asked for a link."""
OPERATOR = "operator"
"""Who acts on the command line."""
STRIPE = "Stripe"
PAYLINK = "Paylink"
SLACK = "slack"
"""Who it was where no person did it: by what Stripe says, by what was imported or posted, or by what Slack tells of the app."""


@dataclass(frozen=True)
class Actor:
    """Who asked: the Slack user within their workspace, or a program, by ``PROGRAM`` and its token's name."""

    team_id: str
    user_id: str
    source: Source | None = field(default=None, compare=False)
    """By which way, if that is known: for the audit."""
    rights: frozenset[Right] = field(default=frozenset(), compare=False)
    """A program's, by its token; a person's are asked for at each act (domain/rights)."""

    @property
    def is_program(self) -> bool:
        return self.user_id.startswith(PROGRAM)

    @property
    def unasked(self) -> Self:
        """The same, as whom Paylink looks by itself: to draw anew what they have before them."""
        return replace(self, source=Source.PAYLINK)


@dataclass(frozen=True)
class OrganisationSummary:
    id: int
    team_id: str
    name: str
    add_on: bool
    channel: str | None
    channel_problem: str | None
    """Slack's error code for the notification channel while announcements can't be posted to it."""
    last_imported_at: datetime | None
    tried_at: datetime | None = None
    """When somebody first used /invoice."""


@dataclass(frozen=True)
class LinkSummary:
    """An online payment link that exists at Stripe."""

    url: str
    amount: Money
    created_at: datetime
    created_by: str | None
    paid_at: datetime | None = None
    amount_received: Money | None = None
    stripe_payment: str | None = None
    exception: bool = False
    """A second payment, or one of another amount or currency, was seen for this link."""


@dataclass(frozen=True)
class InvoiceSummary:
    """A billing invoice as one organisation sees it, in the Stripe mode in use."""

    id: int
    number: str
    buyer_name: str
    buyer_email: str
    amount: Money
    issue_date: date | None
    due_date: date | None
    description: str
    status: LinkStatus
    reason: Reason | None
    """Why no link can be created (without regard to the add-on); None means eligible."""
    link: LinkSummary | None = None
    refusal: str | None = None
    """What Stripe said when it refused the last attempt, empty if nothing; the invoice is eligible again."""
    badges: tuple[Badge, ...] = ()
    """What stands beside the status, in this order."""

    @property
    def eligible(self) -> bool:
        return self.reason is None

    @property
    def deactivated(self) -> bool:
        """Its link was switched off in Stripe: nobody is invited to send it to the buyer."""
        return Badge.LINK_DEACTIVATED in self.badges

    @property
    def being_created(self) -> bool:
        return self.reason is Reason.BEING_CREATED

    @property
    def changed_since_link(self) -> bool:
        """The invoice no longer says what its link charges."""
        return self.link is not None and self.link.amount != self.amount

    @property
    def amount_by_status(self) -> Money:
        """What goes with the status: of a Paid one what was received, as the invoice may say another amount by now."""
        received = self.link.amount_received if self.link and self.status is LinkStatus.PAID else None
        return received or self.amount


@dataclass(frozen=True)
class InvoiceOption:
    """One answer of the type-ahead."""

    id: int
    number: str
    buyer_name: str
    amount: Money
    status: LinkStatus
    link_amount: Money | None = None
    """What its link asks for; None for no link, and among the nearest numbers, where it isn't asked for."""
    badges: tuple[Badge, ...] = ()
    """None among the nearest numbers."""


@dataclass(frozen=True)
class BulkItem:
    invoice_id: int
    number: str
    outcome: Outcome
    reason: Reason | None = None
    """Set when skipped."""
    refusal: str | None = None
    """What Stripe said, empty if nothing; set when failed."""
    url: str | None = None
    refused_for_good: bool = False
    """Failed, and asked again over the same amount Stripe would refuse again."""


@dataclass(frozen=True)
class BulkResult:
    id: int
    organisation_id: int
    requested_by: str
    requested_at: datetime
    items: tuple[BulkItem, ...]
    view_id: str | None = None
    """Of the view that shows it, given by whoever drew it and given back: nothing is read from it."""
    rights: frozenset[Right] = field(default=frozenset(Right), compare=False)

    def count(self, outcome: Outcome) -> int:
        return sum(item.outcome is outcome for item in self.items)

    @property
    def final(self) -> bool:
        return self.count(Outcome.BEING_CREATED) == 0


@dataclass(frozen=True)
class Pause:
    """Why nothing can be asked of Stripe right now."""

    reason: PauseReason
    permission: str | None = None
    """Stripe's name for the one that is lacking, if it gave one."""


@dataclass(frozen=True)
class StripeState:
    """How Paylink stands with Stripe, for people and for doctor."""

    livemode: bool
    last_checked_at: datetime | None
    paused: Pause | None
    """While Stripe refuses the key or can't be reached; work resumes by itself."""
    connected: bool = True
    """Whether the organisation has a Stripe key."""
    checked_ago: timedelta | None = field(default=None, compare=False)
    asked_every: timedelta = timedelta(minutes=5)
    """While a link waits for payment."""

    def is_late(self, *, waits: bool) -> bool:
        """Whether the last check is older than three intervals; ``waits``: a link waits for payment."""
        every = self.asked_every if waits else max(self.asked_every, timedelta(hours=1))
        return self.checked_ago is not None and self.checked_ago > 3 * every


@dataclass(frozen=True)
class ExceptionFacts:
    """What words are made of, as far as the exception's kind knows it."""

    expected: Money | None = None
    """What the link asks for."""
    so_far: Money | None = None
    """What was refunded of the payment in all, this one included."""
    whole: Money | None = None
    """The payment that was refunded or disputed."""
    besides: Money | None = None
    """Of a refund of the payment that counts: a second one for the same link, which is still there."""
    alone: bool = False
    """Of a second payment: the money of the one that counts has gone back, so this one may be what pays for the invoice."""
    reason: str = ""
    """Stripe's code for why there is a dispute, or why a refund failed."""
    inquiry: bool = False
    """Of a dispute: no money has been taken yet."""
    state: str = ""
    """What became of the invoice elsewhere: ``settled`` or ``void``."""
    message: str = ""
    """Of what kind the message is that can't be delivered."""
    problem: str = ""
    """Slack's code for why it can't."""
    other: str = ""
    """The number that looks the same, as it is written; with its buyer's name, cut, and its billing amount."""
    other_buyer: str = ""
    other_amount: Money | None = None
    used: bool = False
    """Of a link that is off: Stripe closed it since it sold as often as it may, and its invoice isn't paid by that."""
    ended: str = ""
    """How a dispute ended (a code of Settlement) with which somebody had dealt before."""


@dataclass(frozen=True)
class Resolution:
    """How an exception ended."""

    at: datetime
    by: str
    """A person's Slack id, or who else it was: domain/exceptions/resolving.py."""
    reason: str
    """In a person's words, or a code of Settlement if it ended by itself."""


@dataclass(frozen=True)
class ExceptionSummary:
    """Something that people must look at."""

    id: int
    kind: ExceptionKind
    seen_at: datetime
    amount: Money | None
    """The sum that it is about: what was paid, refunded, disputed, or what the invoice now says."""
    facts: ExceptionFacts = ExceptionFacts()
    invoice_id: int | None = None
    """None for an invoice that Paylink doesn't know."""
    number: str | None = None
    """As it was told, if it was."""
    buyer_name: str | None = None
    stripe_object: str = ""
    due_by: datetime | None = None
    """Until when an answer is due."""
    resolution: Resolution | None = None


@dataclass(frozen=True)
class ExceptionPage:
    """Open exceptions of an organisation: those with a deadline first, then the oldest. Pages are counted from 0."""

    exceptions: tuple[ExceptionSummary, ...]
    page: int
    has_next: bool
    total: int
    rights: frozenset[Right] = frozenset(Right)
