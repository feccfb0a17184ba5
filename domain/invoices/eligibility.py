"""Whether an online payment link can be created for an invoice: one pure rule, always with the reason."""

from domain.money import (
    MOST,
    RETIRED,
    SUPPORTED,
    THREE_DECIMAL,
    WHOLE_UNITS_ONLY,
    Money,
    is_above_sure,
    is_below_least,
)
from domain.reasons import BillingState, Doubt, Reason

_ELSEWHERE: dict[str, Reason] = {
    BillingState.SETTLED: Reason.SETTLED_ELSEWHERE,
    BillingState.VOID: Reason.VOID,
}


def own_reason(money: Money, billing_state: str | None) -> Reason | None:
    """Why this invoice can't have a link whatever there is at Stripe; None for the state of one that isn't stored yet."""
    return _ELSEWHERE.get(billing_state or BillingState.OPEN) or amount_reason(money)


def amount_reason(money: Money) -> Reason | None:
    """Why Stripe can't take this amount, or None if it can (facts: docs.stripe.com/currencies)."""
    if money.amount <= 0:
        return Reason.NOT_POSITIVE
    if money.currency in RETIRED:
        return Reason.CURRENCY_RETIRED
    if money.currency not in SUPPORTED:
        return Reason.CURRENCY_UNSUPPORTED
    if money.amount > MOST:
        return Reason.TOO_LARGE
    if money.currency in THREE_DECIMAL and money.amount % 10:
        return Reason.LAST_DIGIT_NOT_ZERO
    if money.currency in WHOLE_UNITS_ONLY and money.amount % 100:
        return Reason.NOT_WHOLE_UNITS
    return None


def amount_doubt(money: Money) -> Doubt | None:
    """What to warn of before a link over this amount is created, or None. Nothing is refused for it: Stripe decides."""
    if is_below_least(money):
        return Doubt.BELOW_LEAST
    return Doubt.ABOVE_SURE if is_above_sure(money) else None


def ineligible_because(
    money: Money, existing: Reason | None, billing_state: str = BillingState.OPEN, *, add_on: bool = True
) -> Reason | None:
    """The reason why no link can be created, or None when one can.

    ``existing`` says what an existing link stands at (PENDING_PAYMENT, PAID, BEING_CREATED) or is None.
    """
    if existing is not None:
        return existing
    return own_reason(money, billing_state) or (None if add_on else Reason.ADD_ON_MISSING)
