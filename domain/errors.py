"""What can go wrong, as facts. The words for people are in handlers, one sentence an error."""

from datetime import timedelta

from domain.money import Money
from domain.reasons import Reason
from domain.states import KeyTrouble, PauseReason, Right, Standing


class PaylinkError(Exception):
    """The root of everything that people are told in a sentence."""


class OrganisationUnknown(PaylinkError):
    def __init__(self, team_id: str) -> None:
        super().__init__(team_id)
        self.team_id = team_id


class NotAllowed(PaylinkError):
    """Somebody may not do this. ``ask``: administrators, by Slack's ids; empty if nobody knows any."""

    def __init__(self, deed: Right, standing: Standing, ask: tuple[str, ...] = ()) -> None:
        super().__init__(deed, standing, ask)
        self.deed = deed
        self.standing = standing
        self.ask = ask


class StandingUnknown(PaylinkError):
    """Slack doesn't say who somebody is: who isn't known may do nothing."""


class InvoiceNotFound(PaylinkError):
    """No such invoice in this organisation: unknown, or another organisation's (which nobody is told)."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class RunNotFound(PaylinkError):
    """No such bulk run in this organisation."""


class SelectionNotFound(PaylinkError):
    """The list modal is older than what is kept of it, or somebody else's."""


class ExceptionNotFound(PaylinkError):
    """No such exception in this organisation: unknown, or another organisation's (which nobody is told)."""


class AlreadyResolved(PaylinkError):
    """Somebody else was first, or it ended by itself."""

    def __init__(self, exception_id: int) -> None:
        super().__init__(exception_id)
        self.exception_id = exception_id


class ReasonUnusable(PaylinkError):
    """A resolution's reason is blank, or too long."""


class NotEligible(PaylinkError):
    def __init__(self, number: str, reason: Reason) -> None:
        super().__init__(number, reason)
        self.number = number
        self.reason = reason


class AmountChanged(PaylinkError):
    """The invoice changed between the look and the click."""

    def __init__(self, number: str, seen: Money, now: Money) -> None:
        super().__init__(number, seen, now)
        self.number = number
        self.seen = seen
        self.now = now


class AmountsChanged(PaylinkError):
    """Invoices of a confirmation changed between the look and Create; nothing was started."""

    def __init__(self, numbers: tuple[str, ...]) -> None:
        super().__init__(numbers)
        self.numbers = numbers


class SelectionChanged(PaylinkError):
    """What is ticked, or the Stripe mode, isn't what the confirmation showed; nothing was started."""


class RunOfOtherMode(PaylinkError):
    """A bulk run whose links were made in the other Stripe mode: it shows only while that is configured."""


class NothingSelected(PaylinkError):
    """Create was asked for with nothing ticked."""


class NothingToRecheck(PaylinkError):
    """The invoice has no online payment link that Stripe could be asked about."""


class RecheckedLately(PaylinkError):
    """Stripe was asked about this link a moment ago; it may be asked again after ``wait``."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait = wait


class TooOften(PaylinkError):
    """One person did something costly too often in a short time; they may again after ``wait``."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait = wait


class StripeUnasked(PaylinkError):
    """Stripe couldn't be asked about a link. ``why``: None if it only takes no more requests right now."""

    def __init__(self, why: PauseReason | None, permission: str | None = None) -> None:
        super().__init__(why, permission)
        self.why = why
        self.permission = permission


class KeyIsGiven(PaylinkError):
    """Whoever runs Paylink configured the Stripe key: nobody connects another."""


class KeyUnusable(PaylinkError):
    """A Stripe key can't be connected."""

    def __init__(self, why: KeyTrouble) -> None:
        super().__init__(why)
        self.why = why


class KeyLacks(PaylinkError):
    """A Stripe key may not do what Paylink needs. ``permissions`` are Stripe's names (domain/connecting/checking.py)."""

    def __init__(self, permissions: tuple[str, ...]) -> None:
        super().__init__(permissions)
        self.permissions = permissions


class SigningSecretUnusable(PaylinkError):
    """It isn't the signing secret of a webhook endpoint."""


class FileRefused(PaylinkError):
    """Nothing can be taken from a file. ``why`` says what it is and what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class ImportNotFound(PaylinkError):
    """No such file was brought in by this person: unknown, or somebody else's (which nobody is told)."""


class ImportOutdated(PaylinkError):
    """The preview is older than what is kept of its file."""


class LedgerChanged(PaylinkError):
    """Another process has put this database under another Stripe account or mode."""


class DatabaseUnavailable(PaylinkError):
    """The database can't be reached or stays locked."""


class DatabaseReplaced(DatabaseUnavailable):
    """Where the SQLite file was that was opened is another one now, or none: nothing is read or written until the next start."""
