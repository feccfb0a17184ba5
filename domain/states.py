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


class Due(StrEnum):
    """What the list may be narrowed to besides a status."""

    OVERDUE = "overdue"
    """What is owed and was due before today, whatever its status."""


ListFilter = LinkStatus | Due


class ExceptionKind(StrEnum):
    """What doesn't fit, and is somebody's task until somebody has dealt with it, or Stripe has."""

    SECOND_PAYMENT = "second_payment"
    AMOUNT_DIFFERS = "amount_differs"
    CURRENCY_DIFFERS = "currency_differs"
    COMPLETED_UNPAID = "completed_unpaid"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTED = "disputed"
    DISPUTE_LOST = "dispute_lost"
    AMOUNT_CHANGED = "amount_changed"
    """An import gave the invoice another billing amount than its link, which can still be paid."""
    SETTLED_ELSEWHERE = "settled_elsewhere"
    """The invoice is settled or void, and its link can still be paid."""
    LINK_DEACTIVATED = "link_deactivated"
    PAYMENT_UNKNOWN = "payment_unknown"
    LINK_UNKNOWN = "link_unknown"
    UNDELIVERABLE = "undeliverable"
    """A message to the notification channel that Slack refuses for good, or that may have been posted."""
    NUMBER_TWIN = "number_twin"
    """Another invoice's number looks the same, and both have a link or could get one."""
    OTHER = "other"
    """A kind that only a later version knows, which works on the same database; never written."""


class Settlement(StrEnum):
    """How an exception ended by itself."""

    REFUNDED = "refunded"
    """The payment that was too much, or another sum, was refunded in full."""
    REFUND_SUCCEEDED = "refund_succeeded"
    REFUND_FAILED = "refund_failed"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    APPEAL_LOST = "appeal_lost"
    DISPUTE_CLOSED = "dispute_closed"
    DISPUTE_PREVENTED = "dispute_prevented"
    DISPUTE_OPENED = "dispute_opened"
    """The inquiry became a dispute."""
    LINK_ACTIVE = "link_active"
    LINK_CLOSED = "link_closed"
    """It can't be paid any more."""
    PAID = "paid"
    LINK_PAID = "link_paid"
    """It was paid, although its invoice says something else."""
    NOT_TO_BE_PAID = "not_to_be_paid"
    """The invoice was settled or voided elsewhere."""
    AMOUNT_RESTORED = "amount_restored"
    """The billing amount is the link's again."""
    SUPERSEDED = "superseded"
    """The billing amount has changed again, which is an exception of its own."""
    REOPENED = "reopened"
    """The invoice is to be paid again."""
    LINK_KNOWN = "link_known"
    TWIN_CLOSED = "twin_closed"
    """One of two whose numbers look the same can't get a link any more."""
    DELIVERED = "delivered"
    BEFORE_UPGRADE = "before_upgrade"
    """It was told long before exceptions could be resolved."""


class FollowUp(StrEnum):
    """What a message in the thread of another one says."""

    RESOLVED = "resolved"
    DEADLINE = "deadline"
    ENDED = "ended"
    """How a dispute ended with which somebody had dealt already."""


class Badge(StrEnum):
    """What stands beside the status of an invoice, in this order."""

    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    INQUIRY = "inquiry"
    """The buyer's bank asks; no money has been taken."""
    DISPUTE_LOST = "dispute_lost"
    LINK_DEACTIVATED = "link_deactivated"
    SETTLED_ELSEWHERE = "settled_elsewhere"
    VOID = "void"


class PauseReason(StrEnum):
    """Why nothing can be asked of Stripe; the work resumes by itself when that is over."""

    STRIPE_AWAY = "stripe_away"
    KEY_REFUSED = "key_refused"
    PERMISSION_LACKING = "permission_lacking"
    """The key is taken, but not for everything that Paylink does with it."""


class KeyTrouble(StrEnum):
    """Why a Stripe key can't be connected."""

    MALFORMED = "malformed"
    """It is no secret or restricted key."""
    REFUSED = "refused"
    STRIPE_AWAY = "stripe_away"
    NOT_STRIPE = "not_stripe"
    """Something between here and Stripe answers in its place."""


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
    FOLLOW_UP = "follow_up"
    """What became of an exception, in the thread of its message."""
    AMOUNTS_CHANGED = "amounts_changed"
    """The exceptions of one import, together."""
    IMPORT_RESULT = "import_result"
    """What became of a file that somebody brought in."""


class Outcome(StrEnum):
    """What became of one invoice of a bulk run."""

    BEING_CREATED = "being_created"
    CREATED = "created"
    SKIPPED = "skipped"
    FAILED = "failed"


class FeedKind(StrEnum):
    """What happened, as programs are told."""

    LINK_CREATED = "link_created"
    PAID = "paid"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    EXCEPTION_OPENED = "exception_opened"
    EXCEPTION_RESOLVED = "exception_resolved"


class Creators(StrEnum):
    """Whom an organisation lets create links."""

    EVERYONE = "everyone"
    CHOSEN = "chosen"
    GROUP = "group"


class Source(StrEnum):
    """By which way somebody acted, or something was learnt."""

    COMMAND = "command"
    """Typed in Slack."""
    BUTTON = "button"
    """Anything that was clicked, chosen or submitted in Slack."""
    EVENT = "event"
    """Slack tells of it: a message, a Home that was opened, an uninstalled app."""
    PAGE = "page"
    """One of Paylink's own pages in a browser."""
    API = "api"
    CLI = "cli"
    STRIPE_WEBHOOK = "stripe_webhook"
    """An event told it, which Stripe delivered before it was asked for."""
    STRIPE_POLL = "stripe_poll"
    """An event told it, for which Stripe was asked before it was delivered."""
    STRIPE_EVENT = "stripe_event"
    """An event told it that a version before 0031 kept, which doesn't say by which way it came."""
    STRIPE_LIST = "stripe_list"
    """It was found when Stripe's lists were gone through, or one link was asked for."""
    PAYLINK = "paylink"
    """Paylink's own work: nobody's click, and nothing that was told."""


class Right(StrEnum):
    """What somebody may do."""

    LOOK = "look"
    CREATE = "create"
    """Online payment links."""
    IMPORT = "import"
    RESOLVE = "resolve"
    """Exceptions."""
    SETTINGS = "settings"
    """To see the organisation's settings and change them."""


class Standing(StrEnum):
    """What somebody is in a workspace, as Slack has it."""

    MEMBER = "member"
    ADMINISTRATOR = "administrator"
    """Also an owner."""
    GUEST = "guest"
    """Of several channels or of one."""
    STRANGER = "stranger"
    """Of a connected workspace."""
    DEACTIVATED = "deactivated"


class ImportState(StrEnum):
    """How far a file has come that somebody brought in."""

    PREVIEWED = "previewed"
    """Nothing has happened but that it was read, and nothing will if nobody says so."""
    CONFIRMED = "confirmed"
    """It goes on until it is finished."""
    FINISHED = "finished"
    FAILED = "failed"
    """It broke off again and again; what was taken by then stays."""
