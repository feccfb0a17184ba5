"""Faults: each kind as the SDK's user meets it, and whether the request had its effect."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import aiohttp
import pytest
import stripe

from sandbox.stripe.faults import Fault, FaultKind, Faults
from sandbox.stripe.server import LocalStripe
from tests.contracts.stripe.fixtures import (  # noqa: F401
    client_fixture,
    clock_fixture,
    http_fixture,
    link_params,
    sdk,
    server_fixture,
)

KEY: stripe.RequestOptions = {"idempotency_key": "key-1"}


@pytest.mark.parametrize(
    ("kind", "error", "done", "replayed"),
    [
        (FaultKind.DROP, stripe.APIConnectionError, False, False),
        (FaultKind.ERROR, stripe.APIError, False, False),
        (FaultKind.GARBLED, stripe.APIError, False, False),
        (FaultKind.LOST, stripe.APIConnectionError, True, True),
        (FaultKind.TRUNCATED, aiohttp.ClientPayloadError, True, True),
    ],
)
async def test_after_a_failure_the_same_request_again_makes_one_link(
    client: stripe.StripeClient,
    server: LocalStripe,
    kind: FaultKind,
    error: type[Exception],
    done: bool,
    replayed: bool,
) -> None:
    server.faults.add(kind, method="POST", status=503)
    with pytest.raises(error):
        await client.v1.payment_links.create_async(link_params(), KEY)
    assert len(server.links()) == int(done)
    link = await client.v1.payment_links.create_async(link_params(), KEY)
    assert [item["id"] for item in server.links()] == [link.id]
    assert server.requests[-1].replayed == replayed
    assert [record.fault for record in server.requests] == [kind.value, None]


async def give_up(asking: asyncio.Task[Any]) -> None:
    """As the client does at the end of its own time-out."""
    assert not asking.done()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize("seconds", [0.4, math.inf])
async def test_a_late_answer_comes_after_its_effect(
    client: stripe.StripeClient, server: LocalStripe, seconds: float
) -> None:
    late = server.faults.add(FaultKind.LATE, seconds=seconds)
    asking = asyncio.create_task(client.v1.payment_links.create_async(link_params(), KEY))
    await server.until(lambda: len(server.links()) == 1)
    if seconds == math.inf:
        await give_up(asking)
        server.faults.remove(late)
    else:
        await asking
    await client.v1.payment_links.create_async(link_params(), KEY)
    assert server.requests[-1].replayed
    assert len(server.links()) == 1


@pytest.mark.parametrize("seconds", [0.4, math.inf])
async def test_a_slow_effect_comes_after_the_client_gave_up(
    client: stripe.StripeClient, server: LocalStripe, seconds: float
) -> None:
    slow = server.faults.add(FaultKind.SLOW, seconds=seconds)
    asking = asyncio.create_task(client.v1.payment_links.create_async(link_params(), KEY))
    await server.until(lambda: slow.fired == 1)
    await give_up(asking)
    if seconds == math.inf:
        assert server.links() == []
        server.faults.remove(slow)
    await server.until(lambda: len(server.links()) == 1)


async def test_whom_a_fault_delays_is_let_go_when_it_is_removed(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    slow = server.faults.add(FaultKind.SLOW, seconds=math.inf)
    asking = asyncio.create_task(client.v1.payment_links.create_async(link_params(), KEY))
    await server.until(lambda: slow.fired == 1)
    server.faults.clear()
    link = await asking
    assert [item["id"] for item in server.links()] == [link.id]


async def test_an_outage_lasts_until_it_is_cleared(client: stripe.StripeClient, server: LocalStripe) -> None:
    outage = server.faults.outage()
    for _ in range(3):
        with pytest.raises(stripe.APIConnectionError):
            await client.v1.events.list_async()
    server.faults.remove(outage)
    await client.v1.events.list_async()
    assert outage.fired >= 3  # aiohttp itself asks once more when a kept connection closes under a GET


def fired(faults: Faults, number: int, method: str = "POST", path: str = "/v1/payment_links") -> list[bool]:
    return [faults.take(method, path) is not None for _ in range(number)]


def test_a_fault_skips_then_fires_so_often() -> None:
    faults = Faults()
    faults.add("drop", method="POST", path="/v1/payment_links", skip=1, times=2)
    assert fired(faults, 1, method="GET") == [False]
    assert fired(faults, 5) == [False, True, True, False, False]


def test_chance_is_the_same_for_the_same_seed() -> None:
    def run(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add("lost", probability=0.5, times=None)
        return fired(faults, 40)

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert 5 < sum(run(1)) < 35


async def test_faults_can_be_set_over_http(http: aiohttp.ClientSession, server: LocalStripe) -> None:
    rule: dict[str, Any] = {"kind": "error", "path": "/v1/events", "status": 503}
    await http.post("/_local/faults", json=rule)
    assert (await http.get("/v1/events")).status == 503
    assert (await http.get("/v1/events")).status == 200
    (fault,) = await (await http.get("/_local/faults")).json()
    assert (fault["kind"], fault["fired"]) == ("error", 1)
    await http.delete("/_local/faults")
    assert server.faults.active == []
    assert (await http.post("/_local/faults", json={"kind": "earthquake"})).status == 400
    assert isinstance(server.faults.add("drop"), Fault)


@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (502, '{"error": "bad gateway"}', "application/json"),
        (400, "<html><h1>400 Bad Request</h1></html>", "text/html"),
        (404, "", "text/html"),
        (408, "", "text/plain"),
        (413, "<html>Request Entity Too Large</html>", "text/html"),
    ],
)
@pytest.mark.parametrize("after", [False, True])
async def test_an_answer_that_is_not_stripes(
    http: aiohttp.ClientSession,
    client: stripe.StripeClient,
    server: LocalStripe,
    status: int,
    body: str,
    content_type: str,
    after: bool,
) -> None:
    server.faults.add(
        "foreign", method="POST", status=status, body=body, content_type=content_type, after=after, times=2
    )
    for _ in range(2):
        answer = await http.post("/v1/payment_links", data=b"", headers={"Idempotency-Key": "other"})
        assert (answer.status, await answer.text()) == (status, body)
        assert answer.content_type == content_type
        assert "Request-Id" not in answer.headers
    server.faults.clear()
    server.faults.add("foreign", status=status, body=body, content_type=content_type, after=after)
    # The SDK expects an object in `error` and lets what it stumbles over out as it is.
    with pytest.raises((stripe.StripeError, AttributeError)):
        await client.v1.payment_links.create_async(link_params(), KEY)
    assert len(server.links()) == int(after)
    link = await client.v1.payment_links.create_async(link_params(), KEY)
    assert [item["id"] for item in server.links()] == [link.id]


async def test_a_rate_limit_as_a_400(client: stripe.StripeClient, server: LocalStripe) -> None:
    server.faults.add("coded", method="POST", status=400, code="rate_limit")
    with pytest.raises(stripe.RateLimitError) as caught:
        await client.v1.payment_links.create_async(link_params(), KEY)
    assert caught.value.http_status == 400
    assert (await client.v1.payment_links.create_async(link_params(), KEY)).active


async def test_a_header_says_whether_to_try_again(server: LocalStripe) -> None:
    async with sdk(server) as client:
        options: stripe.RequestOptions = {"max_network_retries": 1}
        server.faults.add("coded", status=400, code="lock", headers={"Stripe-Should-Retry": "true"})
        await client.v1.payment_links.list_async({}, options)
        server.faults.add("error", status=500, headers={"Stripe-Should-Retry": "false"}, times=2)
        with pytest.raises(stripe.APIError):
            await client.v1.payment_links.list_async({}, options)
    assert [request.status for request in server.requests] == [400, 200, 500]
