"""The states that links, messages and payments are in, as codes; the words for people are in handlers."""

from collections.abc import Mapping
from enum import StrEnum


class LinkState(StrEnum):
    """How far a link has come with Stripe."""

    RESERVED = "reserved"
    """Promised: its request goes out until its outcome is known."""
    CREATED = "created"
    REFUSED = "refused"
    """Stripe won't make it as it was asked for; it may be reserved again."""


class LinkStatus(StrEnum):
    """The Online Payment Link status: what an invoice's link means to whoever bills it."""

    NOT_CREATED = "not_created"
    PENDING_PAYMENT = "pending_payment"
    PAID = "paid"


WRITTEN: Mapping[LinkStatus, str] = {
    LinkStatus.NOT_CREATED: "Not Created",
    LinkStatus.PENDING_PAYMENT: "Pending Payment",
    LinkStatus.PAID: "Paid",
}
"""How the database, exported files and the metrics write a status. Programs read it there, so it stays, whatever the
words for people become (decision 0019)."""


class Verdict(StrEnum):
    """What a completed Checkout Session means for its link."""

    PAID = "paid"
    SECOND_PAYMENT = "second_payment"
    AMOUNT_DIFFERS = "amount_differs"
    CURRENCY_DIFFERS = "currency_differs"
    COMPLETED_UNPAID = "completed_unpaid"


class ExceptionKind(StrEnum):
    """What Stripe told that isn't simply a link being paid once."""

    SECOND_PAYMENT = "second_payment"
    AMOUNT_DIFFERS = "amount_differs"
    CURRENCY_DIFFERS = "currency_differs"
    COMPLETED_UNPAID = "completed_unpaid"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


class PauseReason(StrEnum):
    """Why nothing can be asked of Stripe; the work resumes by itself when that is over."""

    STRIPE_AWAY = "stripe_away"
    KEY_REFUSED = "key_refused"
    PERMISSION_LACKING = "permission_lacking"
    """The key is taken, but not for everything that Paylink does with it."""


class MessageState(StrEnum):
    """How far a message has come with Slack."""

    WAITING = "waiting"
    SENDING = "sending"
    """Claimed by a process, and perhaps under way."""
    POSTED = "posted"
    DEAD = "dead"
    """Refused by Slack for good."""
    UNKNOWN = "unknown"
    """Nobody can know whether it was posted."""


OPEN = (MessageState.WAITING, MessageState.SENDING)
STUCK = (MessageState.DEAD, MessageState.UNKNOWN)
"""Such wait for the operator."""


class AnnouncementKind(StrEnum):
    """What a message is about."""

    PAID = "paid"
    EXCEPTION = "exception"
    BULK_RESULT = "bulk_result"
    CHANNEL_LOST = "channel_lost"


class Outcome(StrEnum):
    """What became of one invoice of a bulk run."""

    BEING_CREATED = "being_created"
    CREATED = "created"
    SKIPPED = "skipped"
    FAILED = "failed"
