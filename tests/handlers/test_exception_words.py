"""Each kind of exception says what differs and what to do, each end how it ended, and none of them Paid."""

from dataclasses import replace

import pytest

from domain.money import Money
from domain.states import ExceptionKind, Settlement
from domain.summaries import ExceptionFacts, Resolution
from handlers.words import exceptions
from tests.handlers.samples import NOW, exception


@pytest.mark.parametrize("kind", ExceptionKind)
def test_every_exception_says_what_differs_and_what_to_do_and_never_paid(kind: ExceptionKind) -> None:
    for one in (exception(kind), replace(exception(kind), amount=None, facts=ExceptionFacts())):
        words = f"{exceptions.what_differs(one)} {exceptions.WHAT_TO_DO[kind]}"
        assert words.endswith(".")
        assert "None" not in words
        assert "Paid" not in words


def test_no_kind_and_no_end_is_without_words() -> None:
    assert set(exceptions.WHAT_TO_DO) == set(exceptions.TITLES) == set(ExceptionKind)
    assert set(exceptions.SETTLEMENTS) == set(Settlement)
    differs = {exceptions.what_differs(exception(kind)) for kind in ExceptionKind}
    assert len(differs) == len(ExceptionKind)


def test_amounts_stand_beside_each_other() -> None:
    words = exceptions.what_differs(exception(ExceptionKind.AMOUNT_DIFFERS))
    assert ("USD 9.00" in words, "USD 1,200.50" in words) == (True, True)
    facts = ExceptionFacts(so_far=Money(500, "USD"), whole=Money(1_000, "USD"))
    refunded = exception(ExceptionKind.REFUNDED, amount=Money(300, "USD"), facts=facts)
    assert exceptions.what_differs(refunded) == "USD 3.00 was refunded, in all USD 5.00 of USD 10.00."


def test_of_two_payments_nobody_is_told_to_refund_the_one_that_is_left() -> None:
    facts = ExceptionFacts(besides=Money(1_000, "USD"))
    assert "A second payment of USD 10.00 is still there." in exceptions.what_differs(
        exception(ExceptionKind.REFUNDED, facts=facts)
    )
    second = exception(ExceptionKind.SECOND_PAYMENT)
    alone = replace(second, facts=ExceptionFacts(alone=True))
    assert "refund the one that is too much" in exceptions.what_to_do(second)
    assert exceptions.what_to_do(alone) == exceptions.KEEP_IT
    assert exceptions.what_differs(alone).endswith("has gone back to the buyer.")


def test_a_reason_of_stripes_is_said_in_words_and_one_that_is_new_as_it_is() -> None:
    disputed = exception(ExceptionKind.DISPUTED, facts=ExceptionFacts(reason="fraudulent"))
    assert "didn't authorise the payment" in exceptions.what_differs(disputed)
    disputed = exception(ExceptionKind.DISPUTED, facts=ExceptionFacts(reason="made_up_lately"))
    assert "(made up lately)" in exceptions.what_differs(disputed)


def test_an_inquiry_says_that_no_money_was_taken() -> None:
    asked = exception(ExceptionKind.DISPUTED, facts=ExceptionFacts(inquiry=True))
    assert "No money has been taken yet" in exceptions.what_differs(asked)


@pytest.mark.parametrize("inquiry", [False, True])
def test_without_a_deadline_nobody_is_told_to_answer_before_it(inquiry: bool) -> None:
    asked = exception(ExceptionKind.DISPUTED, facts=ExceptionFacts(inquiry=inquiry))
    assert exceptions.what_to_do(replace(asked, due_by=None)) == exceptions.NO_DEADLINE
    assert exceptions.what_to_do(replace(asked, due_by=NOW)).startswith("Answer the ")


def test_a_persons_words_are_kept_even_if_they_are_a_code() -> None:
    assert exceptions.ended(Resolution(NOW, "Stripe", "dispute_won")) == "the dispute was won"
    assert exceptions.ended(Resolution(NOW, "U0ADA", "dispute_won")) == "dispute_won"
    assert exceptions.ended(Resolution(NOW, "operator", "settled\nby hand")) == "settled by hand"


def test_who_it_was() -> None:
    assert exceptions.resolver("U0ADA") == ("U0ADA", True)
    assert exceptions.resolver("Stripe") == ("Stripe", False)
    assert exceptions.resolver("operator") == ("whoever runs Paylink", False)
