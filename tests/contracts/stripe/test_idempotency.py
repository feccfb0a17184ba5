"""Idempotency keys: what Stripe keeps, for how long, and what it refuses."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
import stripe

from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.contracts.stripe.fixtures import (  # noqa: F401
    Clock,
    client_fixture,
    clock_fixture,
    error_of,
    link_params,
    refusal,
    server_fixture,
)

DAY = 24 * 3600


def keyed(key: str = "key-1", **more: Any) -> stripe.RequestOptions:
    return {"idempotency_key": key, **more}  # type: ignore[typeddict-item]


async def test_a_key_gets_its_first_answer_again(client: stripe.StripeClient, server: LocalStripe) -> None:
    first = await client.v1.payment_links.create_async(link_params(), keyed())
    second = await client.v1.payment_links.create_async(link_params(), keyed())
    assert second.id == first.id
    assert len(server.links()) == 1
    assert second.last_response is not None
    assert first.last_response is not None
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert second.last_response.headers["Original-Request"] == first.last_response.headers["Request-Id"]
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert [record.replayed for record in server.requests] == [False, True]


async def test_other_parameters_under_a_key_are_an_error(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    await client.v1.payment_links.create_async(link_params(), keyed())
    error = await refusal(lambda: client.v1.payment_links.create_async(link_params(amount=1), keyed()))
    assert isinstance(error, stripe.IdempotencyError)
    assert (error.http_status, error_of(error)["type"]) == (400, "idempotency_error")
    assert "can only be used with the same parameters they were first used with" in error_of(error)["message"]
    assert len(server.links()) == 1


async def test_another_endpoint_under_a_key_is_an_error(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    link = await client.v1.payment_links.create_async(link_params(), keyed())
    error = await refusal(lambda: client.v1.payment_links.update_async(link.id, {"active": False}, keyed()))
    assert isinstance(error, stripe.IdempotencyError)
    assert "('" + f"/v1/payment_links/{link.id}" + "' vs '/v1/payment_links')" in error_of(error)["message"]


async def test_a_key_is_free_again_after_a_day(
    client: stripe.StripeClient, server: LocalStripe, clock: Clock
) -> None:
    first = await client.v1.payment_links.create_async(link_params(), keyed())
    clock.now += DAY - 1
    assert (await client.v1.payment_links.create_async(link_params(), keyed())).id == first.id
    clock.now += 1
    assert (await client.v1.payment_links.create_async(link_params(), keyed())).id != first.id
    assert len(server.links()) == 2


async def test_refused_parameters_leave_the_key_free(client: stripe.StripeClient) -> None:
    await refusal(lambda: client.v1.payment_links.create_async(link_params(amount=1), keyed()))
    link = await client.v1.payment_links.create_async(link_params(), keyed())
    assert link.id


async def test_refusals_of_a_running_endpoint_are_kept(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    await client.v1.payment_links.create_async(link_params())
    session = await server.pay(server.links()[0]["id"])
    params: Any = {"payment_intent": session["payment_intent"], "amount": 999_999_99}
    first = await refusal(lambda: client.v1.refunds.create_async(params, keyed()))
    second = await refusal(lambda: client.v1.refunds.create_async(params, keyed()))
    assert server.requests[-1].replayed
    assert first.json_body == second.json_body


@pytest.mark.parametrize("kind", [FaultKind.KEPT_ERROR, FaultKind.DONE_ERROR])
async def test_a_500_is_kept_whether_or_not_it_had_its_effect(
    client: stripe.StripeClient, server: LocalStripe, clock: Clock, kind: FaultKind
) -> None:
    server.faults.add(kind, method="POST")
    for _ in range(3):
        error = await refusal(lambda: client.v1.payment_links.create_async(link_params(), keyed()))
        assert isinstance(error, stripe.APIError)
        assert error_of(error)["type"] == "api_error"
    assert len(server.links()) == (1 if kind is FaultKind.DONE_ERROR else 0)
    assert [record.replayed for record in server.requests] == [False, True, True]
    clock.now += DAY
    await client.v1.payment_links.create_async(link_params(), keyed())


@pytest.mark.parametrize("kind", [FaultKind.ERROR, FaultKind.RATE_LIMIT, FaultKind.LOCK_TIMEOUT])
async def test_what_never_began_is_not_kept(
    client: stripe.StripeClient, server: LocalStripe, kind: FaultKind
) -> None:
    server.faults.add(kind, method="POST")
    await refusal(lambda: client.v1.payment_links.create_async(link_params(), keyed()))
    link = await client.v1.payment_links.create_async(link_params(), keyed())
    assert [item["id"] for item in server.links()] == [link.id]


async def test_a_key_in_use_is_a_conflict_and_the_first_request_goes_on(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    slow = server.faults.add(FaultKind.SLOW, method="POST", seconds=math.inf)
    first = asyncio.create_task(client.v1.payment_links.create_async(link_params(), keyed()))
    await server.until(lambda: slow.fired == 1)
    error = await refusal(lambda: client.v1.payment_links.create_async(link_params(), keyed()))
    assert (error.http_status, error_of(error)["code"]) == (409, "idempotency_key_in_use")
    server.faults.remove(slow)
    link = await first
    assert (await client.v1.payment_links.create_async(link_params(), keyed())).id == link.id


async def test_keys_belong_to_a_mode_and_an_account(client: stripe.StripeClient, server: LocalStripe) -> None:
    server.add_key("sk_live_0123456789abcdef")
    server.add_key("sk_test_0123456789abcdef", account="acct_other")
    for secret in (server.api_key, "sk_live_0123456789abcdef", "sk_test_0123456789abcdef"):
        link = await client.v1.payment_links.create_async(link_params(), keyed(api_key=secret))
        assert link.livemode == ("live" in secret)
    assert not any(record.replayed for record in server.requests)


async def test_a_key_has_at_most_255_characters(client: stripe.StripeClient) -> None:
    await client.v1.payment_links.create_async(link_params(), keyed("k" * 255))
    error = await refusal(lambda: client.v1.payment_links.create_async(link_params(), keyed("k" * 256)))
    assert error.http_status == 400


async def test_reading_ignores_keys(client: stripe.StripeClient, server: LocalStripe) -> None:
    assert (await client.v1.payment_links.list_async({}, keyed())).data == []
    await client.v1.payment_links.create_async(link_params())
    assert len((await client.v1.payment_links.list_async({}, keyed())).data) == 1
