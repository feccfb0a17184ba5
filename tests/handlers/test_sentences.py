"""Each error, reason and exception has words, and none of them is missing."""

import inspect
from datetime import timedelta

import pytest

from domain import errors
from domain.connecting.checking import Permission
from domain.money import Money
from domain.reasons import Reason
from domain.states import KeyTrouble, LinkStatus, PauseReason, Right, Standing
from domain.summaries import Pause
from handlers.rejections import (
    FileNotFetched,
    NoFileChosen,
    NoFilesHere,
    Outsider,
    ScopeMissing,
    Unreadable,
)
from handlers.words import sentences

SAMPLES: list[Exception] = [
    errors.OrganisationUnknown("T1"),
    errors.InvoiceNotFound("7"),
    errors.RunNotFound(),
    errors.KeyIsGiven(),
    errors.KeyUnusable(KeyTrouble.REFUSED),
    errors.KeyLacks((Permission.DISPUTES,)),
    errors.SigningSecretUnusable(),
    errors.FileRefused("a.xls is an Excel workbook of the old kind (.xls): save it as .xlsx"),
    errors.ImportNotFound("import 7"),
    errors.ImportOutdated(),
    errors.SelectionNotFound(),
    errors.ExceptionNotFound("exception 7"),
    errors.AlreadyResolved(7),
    errors.ReasonUnusable(),
    errors.NotEligible("INV-1", Reason.PAID),
    errors.AmountChanged("INV-1", Money(1, "USD"), Money(2, "USD")),
    errors.AmountsChanged(tuple(f"INV-{n}" for n in range(12))),
    errors.SelectionChanged(),
    errors.RunOfOtherMode(),
    errors.NothingSelected(),
    errors.LedgerChanged(),
    errors.NothingToRecheck(),
    errors.RecheckedLately(timedelta(seconds=12)),
    errors.TooOften(timedelta(minutes=3)),
    errors.StripeUnasked(PauseReason.STRIPE_AWAY),
    errors.DatabaseUnavailable(),
    errors.DatabaseReplaced(),
    errors.NotAllowed(Right.CREATE, Standing.MEMBER),
    errors.StandingUnknown(),
    FileNotFetched("file_deleted"),
    NoFileChosen(),
    NoFilesHere(),
    Outsider(),
    ScopeMissing("files:read"),
    Unreadable("id"),
]


def test_every_error_of_the_domain_has_words() -> None:
    everything = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.PaylinkError) and kind is not errors.PaylinkError
    }
    assert everything <= set(sentences.ERRORS)
    assert {type(sample) for sample in SAMPLES} == set(sentences.ERRORS)


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_each_sentence_is_one_and_can_be_shown(error: Exception) -> None:
    words = sentences.sentence(error)
    assert words is not None
    assert words.endswith((".", "/invoices.", "/invoice."))
    assert 20 < len(words) < 300


def test_whoever_cannot_start_paylink_again_is_told_whom_to_ask() -> None:
    words = "Paylink's database was exchanged. Ask whoever runs Paylink to start it again."
    assert sentences.sentence(errors.DatabaseReplaced()) == words


def test_an_error_that_nobody_foresaw_has_no_words_of_its_own() -> None:
    assert sentences.sentence(ValueError("x")) is None


def test_every_reason_has_words() -> None:
    assert set(sentences.REASONS) == set(Reason)
    assert len(set(sentences.REASONS.values())) == len(Reason)


def test_every_status_has_words_letter_for_letter() -> None:
    assert list(sentences.STATUSES.values()) == ["Not Created", "Pending Payment", "Paid"]
    assert set(sentences.STATUSES) == set(LinkStatus)


@pytest.mark.parametrize("reason", PauseReason)
def test_every_reason_to_pause_has_words(reason: PauseReason) -> None:
    words = sentences.paused(Pause(reason))
    assert words.endswith("`paylink doctor` says.")
    assert len({sentences.paused(Pause(one)) for one in PauseReason}) == len(PauseReason)


def test_a_permission_that_is_lacking_is_named() -> None:
    words = sentences.paused(Pause(PauseReason.PERMISSION_LACKING, "rak_event_read"))
    assert words.startswith(
        "The Stripe key lacks the permission rak_event_read. Payments don't show here until"
    )
    words = sentences.paused(Pause(PauseReason.PERMISSION_LACKING, "rak_payment_link_write"))
    assert words.startswith(
        "The Stripe key lacks the permission rak_payment_link_write. Links that were asked for"
    )


def test_whoever_asks_again_too_soon_is_told_when_to() -> None:
    words = sentences.sentence(errors.RecheckedLately(timedelta(seconds=11.2)))
    assert words is not None
    assert words.endswith("It can be asked again in 12 seconds.")


def test_a_stripe_that_could_not_be_asked_is_told_by_its_reason() -> None:
    told = [sentences.sentence(errors.StripeUnasked(why)) for why in (None, *PauseReason)]
    assert len(set(told)) == len(told)
    lacking = errors.StripeUnasked(PauseReason.PERMISSION_LACKING, "rak_event_read")
    assert "rak_event_read" in (sentences.sentence(lacking) or "")


def test_a_refusal_without_a_reason_says_so() -> None:
    assert sentences.refused_with("No such\nthing") == "No such thing"
    assert sentences.refused_with("") == sentences.refused_with(None) == "Stripe gave no reason"


def test_the_missing_add_on_is_named_in_full() -> None:
    for error in (
        errors.NotEligible("", Reason.ADD_ON_MISSING),
        errors.NotEligible("A", Reason.ADD_ON_MISSING),
    ):
        assert "Stripe Credit Card Payment Add-on" in (sentences.sentence(error) or "")


def test_other_reasons_name_the_invoice() -> None:
    assert "INV-1" in (sentences.sentence(errors.NotEligible("INV-1", Reason.TOO_LARGE)) or "")


def test_an_unknown_problem_of_the_channel_names_slacks_code() -> None:
    assert "/invite" in sentences.channel_problem("not_in_channel")
    assert "posting_to_general_channel_denied" in sentences.channel_problem(
        "posting_to_general_channel_denied"
    )


@pytest.mark.parametrize(
    ("number", "words"), [(1, "1 more invoice couldn't"), (12, "12 more invoices couldn't")]
)
def test_what_was_left_out_is_counted(number: int, words: str) -> None:
    assert words in sentences.left_out(number)
