"""Within what a person's question or act stays. The desk finds it once, from who asks; all below take it as it is."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.states import Right

DEFAULT_LANGUAGE = "en"
LANGUAGE: ContextVar[str] = ContextVar("language", default=DEFAULT_LANGUAGE)
"""In which amounts and dates are written for the organisation that is worked for right now. Whoever lets somebody in, or takes up a
message, sets it for what is made of that."""


@dataclass(frozen=True)
class Scope:
    """An organisation, and the ledger of its Stripe account in the mode of its key."""

    organisation_id: int
    ledger_id: int
    livemode: bool
    rights: frozenset[Right] = field(default=frozenset(Right), compare=False)
    """What whoever asks may do here."""
    connected: bool = True
    """Whether there is a key: without one links are looked at, not created."""
    zone: str = field(default="UTC", compare=False)
    """By which the organisation's days begin: a name of the IANA's."""
    language: str = field(default=DEFAULT_LANGUAGE, compare=False)
    """In which the organisation's amounts and dates are written."""

    def today(self, now: datetime) -> date:
        """Of a machine that doesn't know the zone, the day in UTC."""
        try:
            return now.astimezone(UTC if self.zone == "UTC" else ZoneInfo(self.zone)).date()
        except ZoneInfoNotFoundError:
            return now.astimezone(UTC).date()
