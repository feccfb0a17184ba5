"""The crash points name things that exist, and wrappers come off again."""

from importlib import import_module
from typing import Any

import pytest
from slack_sdk.web.async_base_client import AsyncBaseClient

from bot.web import socket_mode
from domain.database import Database
from domain.stripe.client import StripeApi
from tests.faults import crash_points
from tests.faults.crash_points import POINTS, SUSPENSIONS, TRANSACTIONS, Trap


@pytest.mark.parametrize("name", TRANSACTIONS)
def test_each_transaction_is_a_function_of_the_domain(name: str) -> None:
    module, _, function = name.partition(".")
    assert callable(getattr(import_module(f"domain.{module}"), function))


def test_suspensions_are_among_the_points() -> None:
    assert set(SUSPENSIONS) <= set(POINTS)


def test_a_trap_springs_at_the_passing_that_it_is_set_to() -> None:
    sprung: list[str] = []
    trap = Trap("link_creation._claim.after", times=2)
    trap.spring = lambda: sprung.append("sprung")  # type: ignore[method-assign]
    for point in ("link_creation._claim.before", "link_creation._claim.after", "link_creation._claim.after"):
        assert sprung == []
        trap.pass_by(point)
    trap.pass_by("link_creation._claim.after")
    assert sprung == ["sprung"]


def test_nothing_is_left_of_the_wrappers() -> None:
    def wrapped() -> list[Any]:
        return [
            Database._submit,
            StripeApi._call,
            AsyncBaseClient.api_call,
            vars(socket_mode)["send_async_response"],
        ]

    before = wrapped()
    uninstall = crash_points.install(lambda point: None, lambda name: None)
    assert all(now is not then for now, then in zip(wrapped(), before, strict=True))
    uninstall()
    assert wrapped() == before
