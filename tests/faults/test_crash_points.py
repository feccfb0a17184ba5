"""The crash points name things that exist, and wrappers come off again."""

import functools
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.web.async_base_client import AsyncBaseClient
from sqlalchemy.orm import Session

import domain
from bot.web import socket_mode
from domain.database import Database
from domain.stripe.client import StripeApi
from tests.faults import crash_points
from tests.faults.crash_points import POINTS, SUSPENSIONS, TRANSACTIONS, Trap, name_of

DOMAIN = Path(domain.__file__).parent


@functools.cache
def given_to_the_database() -> set[str]:
    """Names of the functions that domain/ gives to the database as transactions that write."""
    given = re.compile(r"write\(\s*(?:Right\.\w+,\s*)?(?:actor,\s*)?(?:\w+\.)*(\w+)")
    return {name for file in DOMAIN.rglob("*.py") for name in given.findall(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("transaction", TRANSACTIONS, ids=name_of)
def test_each_transaction_is_one_of_the_domain(transaction: Callable[..., Any]) -> None:
    assert transaction.__module__.startswith("domain.")
    named: Any = import_module(transaction.__module__)
    for step in transaction.__qualname__.split("."):
        named = getattr(named, step)
    assert named is transaction
    assert transaction.__name__ in given_to_the_database()


def test_no_two_points_have_one_name() -> None:
    assert len(set(POINTS)) == len(POINTS)


def test_suspensions_are_among_the_points() -> None:
    assert set(SUSPENSIONS) <= set(POINTS)


async def test_a_claim_that_claims_nothing_isnt_what_a_death_is_aimed_at(sqlite_url: str) -> None:
    class Service:
        def claim(self, session: Session, found: list[str]) -> list[str]:
            return found

    db, passed = Database(sqlite_url), list[str]()
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(crash_points.DOES, Service.claim, bool)
        uninstall = crash_points.install(passed.append, lambda name: None)
        try:
            await db.write(Service().claim, [])
            assert [point for point in passed if ".done." in point] == []
            await db.write(Service().claim, ["one"])
        finally:
            uninstall()
    name = name_of(Service.claim)
    assert passed[-4:] == [
        f"{name}.uncommitted",
        f"{name}.done.uncommitted",
        f"{name}.after",
        f"{name}.done.after",
    ]
    await db.close()


def test_a_trap_springs_at_the_passing_that_it_is_set_to() -> None:
    sprung: list[str] = []
    trap = Trap("slack.ack.after", times=2)
    trap.spring = lambda: sprung.append("sprung")  # type: ignore[method-assign]
    for point in ("slack.ack.before", "slack.ack.after", "slack.ack.after"):
        assert sprung == []
        trap.pass_by(point)
    trap.pass_by("slack.ack.after")
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
