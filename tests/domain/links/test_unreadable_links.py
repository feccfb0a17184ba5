"""An answer about a link that can't be right is no link, and no proof that there is none."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from domain.links import sending
from domain.models import Link
from domain.money import Money
from domain.states import LinkStatus
from domain.stripe.client import read_payment_link
from domain.stripe.errors import StripeUnreadable
from sandbox.stripe.server import LocalStripe
from tests.domain.broken import break_answers
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")
BROKEN: list[dict[str, Any]] = [
    {"url": None},
    {"url": ""},
    {"url": "javascript:alert(1)"},
    {"url": "https://"},
    {"url": "https://buy.example/a b"},
    {"url": "https://buy.example/" + "x" * 3_000},
    {"url": 7},
    {"id": None},
    {"id": ""},
    {"id": "plink_\0"},
    {"id": 7},
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_link_has_an_id_and_a_web_address(broken: dict[str, Any]) -> None:
    link = {"id": "plink_1", "url": "https://buy.example/1"}
    assert read_payment_link(link) == ("plink_1", "https://buy.example/1")
    with pytest.raises(StripeUnreadable):
        read_payment_link(link | broken)


async def look_at_once(world: World) -> None:
    """Let what was postponed be due, as the margin does that ends after the last request."""
    past = world.clock() - timedelta(minutes=5)
    await world.db.write(
        lambda session: session.execute(sa.update(Link).values(next_attempt_at=past, last_sent_at=past))
    )
    await world.creation.run_due()


async def status(world: World) -> LinkStatus:
    found = await world.desk.find_invoice(ADA, "INV-1")
    assert found is not None
    return found.status


@pytest.mark.parametrize("broken", [{"url": None}, {"url": ""}, {"url": "javascript:alert(1)"}, {"id": None}])
async def test_nothing_is_recorded_of_an_answer_that_is_no_link_and_the_same_key_finds_it(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch, broken: dict[str, Any]
) -> None:
    left = 1

    def once(what: str, answer: dict[str, Any]) -> dict[str, Any]:
        nonlocal left
        if what != "post /v1/payment_links" or not left:
            return answer
        left -= 1
        return answer | broken

    break_answers(world, monkeypatch, once)
    with capture_logs() as logs:
        await world.desk.create_link(ADA, make_invoice(world.db, "INV-1"), SEEN, patience=PATIENCE)
    assert await status(world) is LinkStatus.NOT_CREATED
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["stripe.link_unreadable"]

    await look_at_once(world)
    assert await status(world) is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == 1


async def test_what_is_listed_unreadably_is_neither_adopted_nor_made_a_second_time(
    world: World, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "ATTEMPTS_BEFORE_LOOKING", 1)
    monkeypatch.setattr(sending, "TROUBLES_BEFORE_PAUSING", 1)
    whole = False

    def broken(what: str, answer: dict[str, Any]) -> dict[str, Any]:
        if whole or what == "get /v1/account":
            return answer
        if what == "get /v1/payment_links":
            return answer | {"data": [link | {"url": None} for link in answer["data"]]}
        if what == "get /v1/events":
            for event in answer["data"]:
                event["data"]["object"]["url"] = "javascript:alert(1)"
            return answer
        return answer | {"url": None}

    break_answers(world, monkeypatch, broken)
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-1"), SEEN, patience=PATIENCE)
    for _ in range(4):
        await look_at_once(world)
    assert await status(world) is LinkStatus.NOT_CREATED
    assert len(stripe.links()) == 1
    # Stripe answers: it isn't away.
    assert (await world.desk.get_stripe_state(ADA)).paused is None

    whole = True
    async with asyncio.timeout(PATIENCE):
        await look_at_once(world)
    assert await status(world) is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == 1
