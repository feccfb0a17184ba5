"""What an event may wait for."""

from enum import StrEnum


class Wait(StrEnum):
    """Why an event isn't settled yet: what Stripe shows doesn't say what it tells, and doesn't contradict it for good."""

    MISSING = "missing"
    OLDER = "older"
    UNREADABLE = "unreadable"
    FORBIDDEN = "forbidden"
    PAYMENT_UNKNOWN = "payment_unknown"
    LINK_RESERVED = "link_reserved"
