"""What a gateway answers after Stripe made the link is no refusal: the same request goes out again, and finds it."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.models import Link
from domain.money import Money
from domain.states import LinkStatus
from domain.stripe import transport
from sandbox.stripe.server import LocalStripe
from tests.domain import world as worlds
from tests.domain.factories import make_invoice
from tests.domain.gateway import Gateway, gateway
from tests.domain.links.test_unreadable_links import look_at_once
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")
SECRET = b"<html>pay@here.example</html>"


@pytest.fixture
async def between(stripe: LocalStripe) -> AsyncIterator[Gateway]:
    async with gateway(stripe) as one:
        yield one


@pytest.fixture
async def world(db: Database, between: Gateway) -> AsyncIterator[World]:
    async with worlds.world(db, cast(Any, between)) as one:
        yield one


ANSWERS = [
    (502, b'{"error": "bad gateway"}'),
    (502, b'["bad gateway"]'),
    (400, SECRET),
    (401, SECRET),
    (403, SECRET),
    (404, b'{"error": "not found"}'),
    (408, b""),
    (408, b'{"error": {"type": "invalid_request_error", "message": "pay@here.example"}}'),
    (409, SECRET),
    (413, b'{"error": {"message": "pay@here.example"}}'),
    (418, b'{"error": ["pay@here.example"]}'),
    (200, SECRET),
    (200, b"[]"),
    (200, b""),
    (304, b""),
]


@pytest.mark.parametrize(("status", "body"), ANSWERS)
async def test_the_same_key_finds_the_link_that_there_is(
    world: World, between: Gateway, stripe: LocalStripe, status: int, body: bytes
) -> None:
    between.answers = [(status, body)]
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-1"), SEEN, patience=PATIENCE)
    found = await world.desk.find_invoice(ADA, "INV-1")
    assert found is not None
    assert (found.status, found.being_created, found.refusal) == (LinkStatus.NOT_CREATED, True, None)
    columns = (Link.state, Link.refusal)
    assert await world.db.read(lambda session: session.execute(sa.select(*columns)).one()) == (
        "reserved",
        None,
    )

    await look_at_once(world)
    found = await world.desk.find_invoice(ADA, "INV-1")
    assert found is not None
    assert found.status is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == 1
    assert len(between.keys) == 2
    assert len(set(between.keys)) == 1


async def test_stripe_may_ask_for_the_same_again(world: World, between: Gateway, stripe: LocalStripe) -> None:
    between.answers = [(400, b'{"error": {"type": "invalid_request_error", "message": "Busy."}}')]
    between.headers = {"Stripe-Should-Retry": "true"}
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-1"), SEEN, patience=PATIENCE)
    await look_at_once(world)
    found = await world.desk.find_invoice(ADA, "INV-1")
    assert found is not None
    assert found.status is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == len(set(between.keys)) == 1


async def test_a_reason_with_what_no_database_takes_is_kept_readably(world: World, between: Gateway) -> None:
    between.answers = [
        (400, b'{"error": {"type": "invalid_request_error", "message": "No\\u0000 such \\ud800price"}}')
    ]
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-1"), SEEN, patience=PATIENCE)
    found = await world.desk.find_invoice(ADA, "INV-1")
    assert found is not None
    assert found.refusal == "No such price"
    assert found.eligible


@pytest.mark.parametrize("status", [200, 400])
async def test_an_answer_without_end_is_not_kept_in_memory(
    world: World, between: Gateway, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(transport, "MOST_BYTES", 100_000)
    monkeypatch.setattr(transport, "MOST_BYTES_OF_ERROR", 100_000)
    between.answers = [
        (status, b'{"error": {"type": "invalid_request_error", "message": "' + b"x" * 1_000_000 + b'"}}')
    ]
    await world.desk.create_link(ADA, make_invoice(world.db, "INV-1"), SEEN, patience=PATIENCE)
    await look_at_once(world)
    found = await world.desk.find_invoice(ADA, "INV-1")
    assert found is not None
    assert found.status is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == len(set(between.keys)) == 1
