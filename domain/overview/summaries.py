"""What Home and an open modal that follows its invoice show: frozen values."""

from dataclasses import dataclass

from domain.summaries import Actor, InvoiceSummary, OrganisationSummary, StripeState


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
class HomeSummary:
    organisation: OrganisationSummary
    stripe: StripeState
    pending: int
    paid: int
    waiting: tuple[InvoiceSummary, ...]
    """The longest waiting for payment first, at most ten."""
    lately_paid: tuple[InvoiceSummary, ...]
    """The latest first, at most ten."""
    undelivered: int
    """Announcements that wait, because there is no channel or it can't be posted to."""
    dead: int
    """Announcements that Slack refused for good or whose outcome nobody can know."""
    exceptions: int = 0
    """How many are open."""
    dead_because: tuple[str, ...] = ()
    """Slack's codes for why announcements are dead, the latest first, three at most."""
