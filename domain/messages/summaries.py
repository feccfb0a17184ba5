"""What is to be told, as whoever tells it gets it."""

from dataclasses import dataclass
from datetime import datetime

from domain.import_results import ImportStanding
from domain.money import Money
from domain.scope import DEFAULT_LANGUAGE
from domain.states import AnnouncementKind, FollowUp
from domain.summaries import BulkResult, ExceptionSummary, InvoiceSummary


@dataclass(frozen=True)
class Announcement:
    """A message to be posted once, claimed by this process until its lease ends. ``file`` is an import's refused rows."""

    id: int
    organisation_id: int
    kind: AnnouncementKind
    key: str
    """The opaque key that goes into the message's metadata."""
    destination: str
    """A channel id, or a user id for a direct message."""
    attempts: int
    may_be_posted: bool
    """An earlier attempt's outcome is unknown: read the channel's history before posting."""
    attempted_at: datetime | None
    invoice: InvoiceSummary | None = None
    livemode: bool = True
    """False when it is about a link that was made with a test key."""
    received: Money | None = None
    exception: ExceptionSummary | None = None
    follow_up: FollowUp | None = None
    batch: tuple[ExceptionSummary, ...] = ()
    """The first ten of those that are told together."""
    batch_size: int = 0
    thread: str | None = None
    """The timestamp of the message in whose thread it is to stand."""
    broadcast: bool = False
    """Whether it is to stand in the channel too."""
    together: tuple["Announcement", ...] = ()
    """What else of its kind it tells, each with its own invoice, mode and sum."""
    bulk: BulkResult | None = None
    imported: ImportStanding | None = None
    file: bytes | None = None
    problem: str | None = None
    channel: str | None = None
    """The organisation's notification channel; ``problem`` is what is wrong with it."""
    conversation: str | None = None
    """Of a direct message in doubt: the channel in which the person gets theirs, if Paylink has told them anything before."""
    language: str = DEFAULT_LANGUAGE
    """In which its amounts and dates are written."""
