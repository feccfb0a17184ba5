"""The reasons why no online payment link can be created, as codes (domain/invoices/eligibility.py decides)."""

from enum import StrEnum


class Reason(StrEnum):
    """Why no link can be created; the words for people are in handlers."""

    ADD_ON_MISSING = "add_on_missing"
    NOT_CONNECTED = "not_connected"
    PENDING_PAYMENT = "pending_payment"
    PAID = "paid"
    BEING_CREATED = "being_created"
    SETTLED_ELSEWHERE = "settled_elsewhere"
    VOID = "void"
    NOT_POSITIVE = "not_positive"
    CURRENCY_UNSUPPORTED = "currency_unsupported"
    CURRENCY_RETIRED = "currency_retired"
    TOO_LARGE = "too_large"
    LAST_DIGIT_NOT_ZERO = "last_digit_not_zero"
    NOT_WHOLE_UNITS = "not_whole_units"


class BillingState(StrEnum):
    """What became of an invoice where it is kept: only an open one is to be paid."""

    OPEN = "open"
    SETTLED = "settled"
    VOID = "void"


class Doubt(StrEnum):
    """Why a buyer may be unable to pay although a link can be created: a warning, never a refusal."""

    BELOW_LEAST = "below_least"
    ABOVE_SURE = "above_sure"
