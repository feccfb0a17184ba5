"""Thin events and the destinations that get them, beside snapshots."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
import stripe

from sandbox.stripe.server import LocalStripe
from tests.contracts.stripe.fixtures import (  # noqa: F401
    Clock,
    Receiver,
    client_fixture,
    clock_fixture,
    error_of,
    link_params,
    receiver_fixture,
    refusal,
    server_fixture,
)

COMPLETED: Any = "checkout.session.completed"


@pytest.fixture(name="now")
def now_fixture(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """The SDK compares a signature's time with this machine's clock."""
    monkeypatch.setattr("time.time", clock)


@pytest.mark.usefixtures("now")
async def test_a_thin_event_names_its_object_and_no_more(
    client: stripe.StripeClient, server: LocalStripe, receiver: Receiver
) -> None:
    endpoint = server.add_webhook(receiver.url, payload="thin", enabled_events=["v1." + COMPLETED])
    link = await client.v1.payment_links.create_async(link_params())
    session = await server.pay(link.id)
    await server.webhooks_settled()
    ((body, signature),) = zip(receiver.bodies, receiver.signatures, strict=True)
    event = client.parse_event_notification(body, signature, endpoint["secret"])
    assert isinstance(event, stripe.events.V1CheckoutSessionCompletedEventNotification)
    assert (event.type, event.livemode) == ("v1.checkout.session.completed", False)
    assert (event.related_object.id, event.related_object.type) == (session["id"], "checkout.session")
    # Not by event.fetch_related_object_async(): the SDK's asynchronous client (16.1) sends its own bookkeeping along as a
    # parameter `usage`, which Stripe doesn't know.
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter"):
        await event.fetch_related_object_async()
    fetched = await client.v1.checkout.sessions.retrieve_async(event.related_object.id)
    assert (event.related_object.url, fetched.status) == (
        f"/v1/checkout/sessions/{session['id']}",
        "complete",
    )
    (snapshot,) = (await client.v1.events.list_async({"type": COMPLETED})).data
    thin = json.loads(body)
    assert (thin["object"], thin["snapshot_event"]) == ("v2.core.event", snapshot.id)
    assert "data" not in thin
    found = await client.v2.core.events.retrieve_async(event.id)
    assert (found.snapshot_event, found.type) == (snapshot.id, event.type)
    with pytest.raises(ValueError, match="parse_event_notification"):
        stripe.Webhook.construct_event(body, signature, endpoint["secret"])
    with pytest.raises(stripe.SignatureVerificationError):
        client.parse_event_notification(body, signature, "whsec_other")


@pytest.mark.usefixtures("now")
async def test_one_endpoint_can_get_both_kinds(
    client: stripe.StripeClient, server: LocalStripe, receiver: Receiver
) -> None:
    endpoint = server.add_webhook(receiver.url, payload="both")
    link = await client.v1.payment_links.create_async(link_params())
    await server.refund((await server.pay(link.id))["id"], status="failed")
    await server.dispute(server.objects("charge")[0]["id"])
    await server.webhooks_settled()
    made = {event["id"]: event["type"] for event in server.objects("event")}
    whole = [json.loads(body) for body in receiver.bodies if b'"data"' in body]
    thin = [json.loads(body) for body in receiver.bodies if b'"data"' not in body]
    assert {event["id"]: event["type"] for event in whole} == made
    assert {event["snapshot_event"]: event["type"].removeprefix("v1.") for event in thin} == made
    for body, signature in zip(receiver.bodies, receiver.signatures, strict=True):
        if b'"data"' in body:
            stripe.Webhook.construct_event(body, signature, endpoint["secret"])
        else:
            event = client.parse_event_notification(body, signature, endpoint["secret"])
            assert not isinstance(event, stripe.events.UnknownEventNotification)
            url = getattr(event, "related_object").url  # noqa: B009
            assert (await client.raw_request_async("get", url)).code == 200


async def test_an_endpoint_may_have_a_version_of_its_own(
    client: stripe.StripeClient, server: LocalStripe, receiver: Receiver
) -> None:
    server.add_webhook(receiver.url, enabled_events=[COMPLETED], api_version="2024-06-20")
    link = await client.v1.payment_links.create_async(link_params())
    await server.pay(link.id)
    await server.webhooks_settled()
    (event,) = (json.loads(body) for body in receiver.bodies)
    assert (event["api_version"], event["data"]["object"]["ui_mode"]) == ("2024-06-20", "hosted")
    (endpoint,) = (await client.v1.webhook_endpoints.list_async()).data
    assert endpoint.api_version == "2024-06-20"


async def test_destinations_say_what_they_send(client: stripe.StripeClient, server: LocalStripe) -> None:
    whole = server.add_webhook("http://127.0.0.1:9/whole", enabled_events=[COMPLETED])
    server.add_webhook("http://127.0.0.1:9/thin", enabled_events=[COMPLETED], payload="thin")
    found = (await client.v2.core.event_destinations.list_async({"include": ["webhook_endpoint.url"]})).data
    assert [
        (item.event_payload, item.snapshot_api_version, item.enabled_events, item.status) for item in found
    ] == [
        ("thin", None, ["v1." + COMPLETED], "enabled"),
        ("snapshot", server.event_rules.api_version, [COMPLETED], "enabled"),
    ]
    assert [item.webhook_endpoint.url for item in found if item.webhook_endpoint] == [
        "http://127.0.0.1:9/thin",
        "http://127.0.0.1:9/whole",
    ]
    (plain, _) = (await client.v2.core.event_destinations.list_async()).data
    assert plain.webhook_endpoint is not None
    assert plain.webhook_endpoint.url is None
    assert [item.id for item in (await client.v1.webhook_endpoints.list_async()).data] == [whole["id"]]
    key = server.add_key("rk_test_0123456789abcdef", without={"rak_webhook_read", "rak_webhook_write"}).secret
    for path in ("/v2/core/event_destinations", "/v1/webhook_endpoints"):
        answer = await refusal(partial(client.raw_request_async, "get", path, api_key=key))
        assert answer.http_status == 403


async def test_no_thin_event_has_another_ones_id(client: stripe.StripeClient, server: LocalStripe) -> None:
    for event_id in ("evt_test_65none", "evt_none"):
        error = await refusal(partial(client.v2.core.events.retrieve_async, event_id))
        assert error.http_status == 404


async def test_payload_kinds_are_known(server: LocalStripe) -> None:
    with pytest.raises(ValueError, match="not a kind of payload"):
        server.add_webhook("http://127.0.0.1:9/", payload="fat")
