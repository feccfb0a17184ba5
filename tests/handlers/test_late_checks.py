"""A check of Stripe that is older than three polling intervals is said to be late, with the reason, where it is told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.states import PauseReason
from domain.summaries import Pause, StripeState
from handlers.views.details import last_checked
from tests.domain.factories import NOW

FIVE = StripeState(False, NOW, None, checked_ago=timedelta(minutes=5))


def told(state: StripeState, *, waits: bool) -> str:
    return str(last_checked(state, waits=waits))


@pytest.mark.parametrize(
    ("minutes", "waits", "late"),
    [(15, True, False), (16, True, True), (179, False, False), (181, False, True)],
)
def test_it_is_late_after_three_intervals(minutes: int, waits: bool, late: bool) -> None:
    state = replace(FIVE, checked_ago=timedelta(minutes=minutes))
    assert ("That is late" in told(state, waits=waits)) is late


def test_the_interval_is_the_configured_one() -> None:
    state = replace(FIVE, asked_every=timedelta(minutes=1))
    assert "That is late" in told(state, waits=True)


def test_the_reason_is_told_with_it() -> None:
    state = replace(FIVE, checked_ago=timedelta(days=1), paused=Pause(PauseReason.KEY_REFUSED))
    assert "Stripe refuses the API key." in told(state, waits=True)
    assert "Paylink wasn't running" in told(replace(state, paused=None), waits=True)


def test_nothing_is_late_that_was_never_asked() -> None:
    assert "late" not in told(StripeState(False, None, None), waits=True)
