"""What comes of connecting a Stripe key."""

from dataclasses import dataclass
from enum import StrEnum

from domain.connecting.checking import KeyCheck
from domain.organisations.stripe_keys import StripeKeySummary


class Webhook(StrEnum):
    """How Stripe tells what happens, once a key is connected."""

    MADE = "made"
    """Paylink has its own endpoint."""
    GIVEN = "given"
    """Somebody made one, and gave its signing secret."""
    NOT_ALLOWED = "not_allowed"
    """The key may not make one: payments are seen by asking."""
    NO_ADDRESS = "no_address"
    """Paylink has no public address that Stripe could reach."""
    REFUSED = "refused"
    """Stripe didn't make it, for now or for good."""


@dataclass(frozen=True)
class Connected:
    key: StripeKeySummary
    check: KeyCheck
    webhook: Webhook


class Otherness(StrEnum):
    """How a key's links are others than those that there are."""

    MODE = "mode"
    ACCOUNT = "account"


@dataclass(frozen=True)
class AskFirst:
    """Nothing was connected: links were made in another account or mode, and wouldn't show or be watched any more."""

    otherness: Otherness
    links: int
    """How many there are that would be left behind."""
    before_livemode: bool
    before_account: str | None
    check: KeyCheck
    seal: str
    """What was asked about, without any secret: whoever confirms it confirms this and no other."""
