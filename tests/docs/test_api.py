"""The page of the API: its examples do what it says, and its tables are the code's."""

import json
import re
import shlex
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from bot.api.events import Event
from bot.api.problems import KINDS
from domain.database import Database
from domain.programs import tokens
from sandbox.stripe.api.rate import RateLimits
from sandbox.stripe.server import LocalStripe
from tests.bot.api.conftest import Served, serve
from tests.docs.pages import REFERENCE, first_codes, table_rows
from tests.domain import world as worlds
from tests.domain.factories import TEAM

PAGE = REFERENCE / "api.md"
_EXAMPLE = re.compile(r"```sh\n(curl .*?)```\s+(\d{3}):\s+```json\n(.*?)```", re.DOTALL)
_SHELL = re.compile(r"```sh\n")
# Different each time.
_VOLATILE = {"url", "created_at", "as_of", "at"}


@dataclass
class Request:
    """What a command of curl's asks for."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None


def read_curl(command: str, variables: dict[str, str]) -> Request:
    """Only what the page uses: anything else is an error. Variables stand between double quotes."""
    for name, value in variables.items():
        command = command.replace(f"${name}", value)
    program, *words = shlex.split(command.replace("\\\n", " "))
    assert program == "curl"
    request = Request("", "", {}, None)
    rest = iter(words)
    for word in rest:
        if word == "-X":
            request.method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            request.headers[name] = value
        elif word == "-d":
            request.body = next(rest)
        else:
            assert word.startswith("http")
            assert not request.url
            request.url = word
    request.method = request.method or ("GET" if request.body is None else "POST")
    return request


def examples() -> Iterator[tuple[str, int, Any]]:
    for command, status, answer in _EXAMPLE.findall(PAGE.read_text("utf-8")):
        yield command, int(status), json.loads(answer)


def steady(answer: Any) -> Any:
    """Without what is different each time."""
    if isinstance(answer, dict):
        return {name: "" if name in _VOLATILE else steady(value) for name, value in answer.items()}
    return [steady(one) for one in answer] if isinstance(answer, list) else answer


@pytest.fixture
async def served(sqlite_url: str) -> AsyncIterator[Served]:
    db = Database(sqlite_url)
    limits = RateLimits(live=None, test=None, endpoint=None)
    async with (
        LocalStripe(limits=limits) as stripe,
        worlds.world(db, stripe) as world,
        serve(world) as one,
    ):
        yield one
    db.close_now()


async def test_each_example_is_answered_as_the_page_says(served: Served) -> None:
    token = served.world.db.run(tokens.add, TEAM, "NAME")
    found = list(examples())
    assert len(found) == len(_SHELL.findall(PAGE.read_text("utf-8"))) == 6
    for command, status, expected in found:
        asked = read_curl(command, {"PAYLINK": served.ours.url, "TOKEN": token})
        async with (
            aiohttp.ClientSession() as session,
            session.request(asked.method, asked.url, headers=asked.headers, data=asked.body) as answer,
        ):
            assert answer.status == status, command
            assert steady(await answer.json(content_type=None)) == steady(expected), command


def test_the_problems_are_those_of_the_code() -> None:
    rows = first_codes(table_rows(PAGE))
    said = {name.removeprefix("urn:paylink:") for name in rows if name.startswith("urn:")}
    assert said == set(KINDS)


def test_the_events_have_what_the_page_says() -> None:
    rows = first_codes(table_rows(PAGE))
    common = {"type", "position", "at", "invoice_number"}
    for model in Event.__origin__.__args__:  # type: ignore[attr-defined]
        [type_] = model.model_fields["type"].annotation.__args__
        assert set(re.findall(r"`(\w+)`", rows[type_][1])) == set(model.model_fields) - common
