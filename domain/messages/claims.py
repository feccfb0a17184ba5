"""A message that a process has claimed."""

from dataclasses import dataclass
from datetime import datetime

from domain.coordination.leases import Lease
from domain.messages.summaries import Announcement
from domain.outbox.enqueuing import is_person


@dataclass(frozen=True)
class Claim:
    """A message that is this process's until its lease ends, with what it says at this moment."""

    id: int
    organisation_id: int
    addressed: str
    """Who or what it is for: a person's id, the id of another channel, or empty for the notification channel."""
    lease: Lease
    until: datetime
    """When the lease ends. It tells this claim from a later one of the same process, whose attempt may be under way."""
    enqueued_at: datetime
    announcement: Announcement

    @property
    def direct(self) -> bool:
        """A direct message to a person."""
        return is_person(self.addressed)

    @property
    def pace(self) -> str:
        return f"slack:{self.announcement.destination}"
