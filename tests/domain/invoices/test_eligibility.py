import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.invoices.eligibility import amount_doubt, amount_reason, ineligible_because
from domain.money import SUPPORTED, Money
from domain.reasons import Doubt, Reason


@pytest.mark.parametrize(
    ("amount", "currency", "reason"),
    [
        (1, "USD", None),
        (0, "USD", Reason.NOT_POSITIVE),
        (-1, "USD", Reason.NOT_POSITIVE),
        (0, "ZZZ", Reason.NOT_POSITIVE),
        (100, "ZZZ", Reason.CURRENCY_UNSUPPORTED),
        (99_999_999, "USD", None),
        (100_000_000, "USD", None),
        (150_000_000, "HUF", None),
        (100_000_000, "JPY", None),
        (999_999_999_999, "USD", None),
        (1_000_000_000_000, "USD", Reason.TOO_LARGE),
        (1_000_000_000_000, "IDR", Reason.TOO_LARGE),
        (100, "BGN", Reason.CURRENCY_RETIRED),
        (100, "ANG", Reason.CURRENCY_RETIRED),
        (100, "STD", Reason.CURRENCY_RETIRED),
        (100, "XCG", None),
        (99_999_999, "JPY", None),
        (1_500, "KWD", None),
        (1_501, "KWD", Reason.LAST_DIGIT_NOT_ZERO),
        (150_000, "ISK", None),
        (150_001, "UGX", Reason.NOT_WHOLE_UNITS),
        (99_999_999, "BHD", Reason.LAST_DIGIT_NOT_ZERO),
    ],
)
def test_amounts_that_stripe_cannot_take_are_told_why(
    amount: int, currency: str, reason: Reason | None
) -> None:
    assert amount_reason(Money(amount, currency)) is reason


@pytest.mark.parametrize(
    ("amount", "currency", "doubt"),
    [
        (49, "USD", Doubt.BELOW_LEAST),
        (50, "USD", None),
        (99_999_999, "USD", None),
        (100_000_000, "USD", Doubt.ABOVE_SURE),
        (100_000_000, "IDR", Doubt.ABOVE_SURE),
    ],
)
def test_what_may_be_paid_or_not_is_eligible_with_a_warning(
    amount: int, currency: str, doubt: Doubt | None
) -> None:
    assert amount_doubt(Money(amount, currency)) is doubt
    assert amount_reason(Money(amount, currency)) is None


@pytest.mark.parametrize("existing", [Reason.PENDING_PAYMENT, Reason.PAID, Reason.BEING_CREATED])
@given(st.integers(-(10**12), 10**12), st.sampled_from([*sorted(SUPPORTED), "ZZZ"]), st.booleans())
def test_an_existing_link_is_the_reason_before_any_other(
    existing: Reason, amount: int, currency: str, add_on: bool
) -> None:
    assert ineligible_because(Money(amount, currency), existing, add_on=add_on) is existing


def test_the_add_on_is_the_last_reason() -> None:
    assert ineligible_because(Money(100, "USD"), None) is None
    assert ineligible_because(Money(100, "USD"), None, add_on=False) is Reason.ADD_ON_MISSING
    assert ineligible_because(Money(0, "USD"), None, add_on=False) is Reason.NOT_POSITIVE
