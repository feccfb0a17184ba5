"""Objects that the API shows later than its events tell of them, and a clock that isn't ours."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import aiohttp
import pytest
import stripe

from sandbox.stripe.server import LocalStripe
from tests.contracts.stripe.fixtures import (  # noqa: F401
    Clock,
    Receiver,
    client_fixture,
    clock_fixture,
    error_of,
    http_fixture,
    link_params,
    receiver_fixture,
    refusal,
    server_fixture,
)


async def test_an_old_state_is_read_until_the_reads_are_used_up(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    late = server.late.stale("checkout.session", times=2)
    link = await client.v1.payment_links.create_async(link_params())
    session = await server.open_session(link.id)

    async def status() -> str | None:
        return (await client.v1.checkout.sessions.retrieve_async(session["id"])).status

    assert (await status(), late.fired) == ("open", 0)
    await server.pay(session["id"])
    events = await client.v1.events.list_async({"type": "checkout.session.completed"})
    assert events.data[0].data.object["status"] == "complete"
    assert [await status() for _ in range(3)] == ["open", "open", "complete"]
    assert late.fired == 2


async def test_an_old_state_is_read_for_a_time(
    client: stripe.StripeClient, server: LocalStripe, clock: Clock
) -> None:
    link = await client.v1.payment_links.create_async(link_params())
    paid = await server.pay(link.id)
    server.late.stale(server.find(paid["payment_intent"])["latest_charge"], seconds=30)
    clock.now += 100
    refund = await server.refund(paid["id"])

    async def refunded() -> int:
        return (await client.v1.charges.retrieve_async(refund["charge"])).amount_refunded

    assert (await refunded(), await refunded()) == (0, 0)
    clock.now += 29
    assert await refunded() == 0
    clock.now += 1
    assert await refunded() == link_params()["line_items"][0]["price_data"]["unit_amount"]


@pytest.mark.parametrize("kind", ["checkout.session", "charge", "refund", "dispute", "payment_link"])
async def test_each_object_of_a_kind_is_missing_at_first(
    client: stripe.StripeClient, server: LocalStripe, kind: str
) -> None:
    late = server.late.missing(kind, times=2)
    link = await client.v1.payment_links.create_async(link_params())
    await server.dispute((await server.pay(link.id))["id"], status="warning_needs_response")
    await server.refund(server.objects("charge")[0]["id"])
    read: dict[str, Any] = {
        "checkout.session": client.v1.checkout.sessions.retrieve_async,
        "charge": client.v1.charges.retrieve_async,
        "refund": client.v1.refunds.retrieve_async,
        "dispute": client.v1.disputes.retrieve_async,
        "payment_link": client.v1.payment_links.retrieve_async,
    }
    for each, retrieve in read.items():
        (item,) = server.objects(each)
        for _ in range(2 if each == kind else 0):
            error = await refusal(partial(retrieve, item["id"]))
            assert (error.http_status, error_of(error)["code"]) == (404, "resource_missing")
        assert (await retrieve(item["id"])).id == item["id"]
    assert late.fired == 2


async def test_lists_are_late_only_if_they_are_told_to(
    http: aiohttp.ClientSession, client: stripe.StripeClient, server: LocalStripe
) -> None:
    link = await client.v1.payment_links.create_async(link_params())

    async def complete() -> int:
        return len((await client.v1.checkout.sessions.list_async({"status": "complete"})).data)

    rule = {"how": "stale", "what": "checkout.session", "lists": True, "times": 1}
    assert (await http.post("/_local/late", json=rule)).status == 200
    await server.pay(link.id)
    assert [await complete(), await complete()] == [0, 1]
    (shown,) = await (await http.get("/_local/late")).json()
    assert (shown["how"], shown["fired"]) == ("stale", 1)
    await http.delete("/_local/late")
    assert server.late.rules == []
    server.late.missing("checkout.session", times=9)
    server.late.missing("charge", lists=True)
    assert await complete() == 1
    assert (await http.post("/_local/late", json={"how": "lost", "what": "charge"})).status == 400


async def test_deliveries_are_signed_by_stripes_clock(
    client: stripe.StripeClient, server: LocalStripe, receiver: Receiver, clock: Clock
) -> None:
    server.advance(-7200)
    server.add_webhook(receiver.url)
    await client.v1.payment_links.create_async(link_params())
    await server.webhooks_settled()
    assert receiver.signatures
    assert all(mark.startswith(f"t={int(clock.now) - 7200},") for mark in receiver.signatures)


@pytest.mark.parametrize("hours", [-3, 3])
async def test_stripes_clock_is_its_own(
    http: aiohttp.ClientSession, client: stripe.StripeClient, server: LocalStripe, clock: Clock, hours: int
) -> None:
    await http.post("/_local/clock", json={"advance": hours * 3600})
    link = await client.v1.payment_links.create_async(link_params())
    paid = await server.pay(link.id)
    theirs = clock.now + hours * 3600
    assert (server.now(), paid["created"]) == (theirs, theirs)
    assert {event["created"] for event in server.objects("event")} == {theirs}
    found = await client.v1.events.list_async({"created": {"gte": int(theirs)}, "type": "charge.succeeded"})
    assert len(found.data) == 1
    answers = [await http.get("/v1/events"), await http.get("/v1/nothing")]
    server.faults.add("foreign", status=502)
    answers.append(await http.get("/v1/events"))
    for answer in answers:
        assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == theirs
