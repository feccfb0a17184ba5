"""What Stripe's refunds and disputes say, and the badges that come of them."""

from typing import Any

import pytest

from domain.money import Money
from domain.payments.reversals.reversals import (
    ReversalKind,
    badges_of,
    goes_back,
    read_reversal,
    refunded_in_all,
)
from domain.states import Badge

PAID = Money(1_000, "USD")
REFUND, DISPUTE = ReversalKind.REFUND, ReversalKind.DISPUTE


def refund(status: str, amount: int) -> tuple[ReversalKind, str, Money]:
    return REFUND, status, Money(amount, "USD")


def dispute(status: str) -> tuple[ReversalKind, str, Money]:
    return DISPUTE, status, PAID


@pytest.mark.parametrize(
    ("reversals", "badges"),
    [
        ([], set()),
        ([refund("succeeded", 400)], {Badge.PARTLY_REFUNDED}),
        ([refund("succeeded", 400), refund("succeeded", 600)], {Badge.REFUNDED}),
        ([refund("succeeded", 400), refund("failed", 600)], {Badge.PARTLY_REFUNDED}),
        ([refund("failed", 1_000)], set()),
        ([refund("canceled", 1_000)], set()),
        ([refund("pending", 1_000), refund("requires_action", 1)], set()),
        ([refund("failed", 1_000), refund("succeeded", 1_000)], {Badge.REFUNDED}),
        ([dispute("warning_needs_response")], {Badge.INQUIRY}),
        ([dispute("warning_under_review")], {Badge.INQUIRY}),
        ([dispute("warning_closed")], set()),
        ([dispute("needs_response")], {Badge.DISPUTED}),
        ([dispute("under_review")], {Badge.DISPUTED}),
        ([dispute("won")], set()),
        ([dispute("prevented")], set()),
        ([dispute("lost")], {Badge.DISPUTE_LOST}),
        ([dispute("appeal_under_review")], {Badge.DISPUTED}),
        ([dispute("a_status_to_come")], {Badge.DISPUTED}),
        ([dispute("won"), refund("succeeded", 1)], {Badge.PARTLY_REFUNDED}),
        ([dispute("lost"), dispute("needs_response")], {Badge.DISPUTE_LOST, Badge.DISPUTED}),
    ],
)
def test_badges_follow_what_stripe_says_now(
    reversals: list[tuple[ReversalKind, str, Money]], badges: set[Badge]
) -> None:
    assert badges_of(PAID, reversals) == badges


def test_what_was_given_back_is_the_sum_of_what_succeeded_in_the_payments_currency() -> None:
    other = (REFUND, "succeeded", Money(5, "EUR"))
    assert refunded_in_all(PAID, [refund("succeeded", 200), refund("succeeded", 300), other]) == Money(
        500, "USD"
    )


@pytest.mark.parametrize(
    ("kind", "known", "told", "back"),
    [
        (REFUND, "succeeded", "pending", True),
        (REFUND, "failed", "succeeded", True),
        (REFUND, "succeeded", "failed", False),
        (DISPUTE, "won", "needs_response", True),
        (DISPUTE, "won", "lost", False),
        (DISPUTE, "warning_closed", "needs_response", False),
    ],
)
def test_an_answer_may_be_older_than_what_is_known(
    kind: ReversalKind, known: str, told: str, back: bool
) -> None:
    assert goes_back(kind, known, told) is back


def found(**values: Any) -> dict[str, Any]:
    return {
        "id": "dp_1",
        "payment_intent": "pi_1",
        "status": "needs_response",
        "amount": 1_000,
        "currency": "usd",
        "reason": "fraudulent",
        "created": 1_790_000_000,
        "evidence_details": {"due_by": 1_790_600_000, "submission_count": 0},
    } | values


def test_a_deadline_is_one_only_while_an_answer_is_due() -> None:
    due = read_reversal(DISPUTE, found())
    answered = read_reversal(
        DISPUTE,
        found(status="under_review", evidence_details={"due_by": 1_790_600_000, "submission_count": 1}),
    )
    assert due.due_by is not None
    assert due.money == PAID
    assert (answered.due_by, answered.submitted) == (None, True)


def test_a_bank_that_takes_no_answer_sets_no_deadline() -> None:
    assert read_reversal(DISPUTE, found(evidence_details={"due_by": 0})).due_by is None


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"status": "succeeded"}, "requested_by_customer"),
        ({"status": "failed"}, ""),
        ({"status": "failed", "failure_reason": "declined"}, "declined"),
        ({"status": "canceled"}, "merchant_request"),
    ],
)
def test_why_a_refund_failed_isnt_why_it_was_wanted(values: dict[str, str], reason: str) -> None:
    assert read_reversal(REFUND, found(reason="requested_by_customer", **values)).reason == reason


def test_what_cant_be_read_is_an_error() -> None:
    for wrong in (
        {"payment_intent": None},
        {"status": None},
        {"id": 5},
        {"amount": "10"},
        {"currency": "us"},
        {"created": "now"},
    ):
        with pytest.raises(ValueError):
            read_reversal(DISPUTE, found(**wrong))
