"""Looking for lost links: once for all who wait, and never with pages that were read before they asked."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from domain.database import Database
from domain.links.adoption import LinkSearch
from domain.stripe.client import StripeApi
from domain.stripe.clock import StripeClock, utc_now
from domain.stripe.errors import StripeAway
from domain.stripe.pace import StripePace

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Lists:
    """Stripe's lists, read a page at a time; ``go`` lets the next page come."""

    def __init__(self) -> None:
        self.clock = StripeClock(utc_now)
        self.links: list[dict[str, Any]] = []
        self.pages = 0
        self.go = asyncio.Event()
        self.go.set()
        self.asked = asyncio.Event()
        self.trouble: Exception | None = None

    def add(self, reference: str) -> None:
        link = {"id": f"plink_{reference}", "url": f"https://buy.example/{reference}"}
        self.links.insert(0, link | {"metadata": {"paylink_reference": reference}})

    async def list_all(self, path: str, params: object = None) -> AsyncIterator[list[dict[str, Any]]]:
        if path == "/v1/events":
            return
        shown = list(self.links)
        for start in range(0, len(shown), 100):
            self.pages += 1
            self.asked.set()
            await self.go.wait()
            if self.trouble is not None:
                raise self.trouble
            yield shown[start : start + 100]

    async def slot(self, ledger_id: int) -> None:
        await asyncio.sleep(0)


@pytest.fixture
def lists() -> Lists:
    return Lists()


@pytest.fixture
def search(db: Database, lists: Lists) -> LinkSearch:
    return LinkSearch(db, cast(StripeApi, lists), cast(StripePace, lists))


async def find(search: LinkSearch, reference: str) -> tuple[str, str] | None:
    return await search.find_created(1, reference, NOW)


async def test_many_who_wait_read_each_page_once(search: LinkSearch, lists: Lists) -> None:
    for n in range(1_000):
        lists.add(f"r{n}")
    found = await asyncio.gather(*(find(search, f"r{n}") for n in range(16)), find(search, "nobody"))
    assert [one and one[0] for one in found] == [*(f"plink_r{n}" for n in range(16)), None]
    assert lists.pages == 10


async def test_who_asks_during_a_look_gets_one_that_begins_afterwards(
    search: LinkSearch, lists: Lists
) -> None:
    lists.add("old")
    lists.go.clear()
    first = asyncio.create_task(find(search, "early"))
    await lists.asked.wait()
    lists.add("late")
    second = asyncio.create_task(find(search, "late"))
    await asyncio.sleep(0)
    lists.go.set()
    assert await first is None
    assert await second == ("plink_late", "https://buy.example/late")


async def test_trouble_is_everybodys_and_the_next_look_starts_anew(search: LinkSearch, lists: Lists) -> None:
    lists.add("one")
    lists.trouble = StripeAway("x")
    outcomes = await asyncio.gather(find(search, "one"), find(search, "two"), return_exceptions=True)
    assert [type(one) for one in outcomes] == [StripeAway, StripeAway]
    lists.trouble = None
    assert await find(search, "one") == ("plink_one", "https://buy.example/one")


async def test_who_gave_up_holds_up_nobody(search: LinkSearch, lists: Lists) -> None:
    lists.add("one")
    lists.go.clear()
    gone, waiting = asyncio.create_task(find(search, "one")), asyncio.create_task(find(search, "one"))
    await lists.asked.wait()
    gone.cancel()
    lists.go.set()
    assert await waiting == ("plink_one", "https://buy.example/one")
