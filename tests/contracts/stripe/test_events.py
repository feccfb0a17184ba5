"""Events and webhooks: late, shuffled, doubled, signed, repeated, and gone after 30 days."""

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
MANY: Any = {"restrictions": {"completed_sessions": {"limit": 1000}}}


async def completed(client: stripe.StripeClient, **params: Any) -> list[stripe.Event]:
    query: Any = {"types": [COMPLETED], "limit": 100, **params}
    return (await client.v1.events.list_async(query)).data


async def test_an_event_keeps_the_object_as_it_was(client: stripe.StripeClient, server: LocalStripe) -> None:
    link = await client.v1.payment_links.create_async(link_params(), {"idempotency_key": "key-1"})
    await client.v1.payment_links.update_async(link.id, {"metadata": {"later": "yes"}})
    page = await client.v1.events.list_async({"types": ["payment_link.created", "payment_link.updated"]})
    updated, created = page.data
    assert created.data.object["metadata"].to_dict() == {"invoice_number": "INV-1001"}
    assert created.request is not None
    assert created.request.idempotency_key == "key-1"
    assert created.request.id == server.requests[0].request_id
    assert updated.data.previous_attributes is not None
    assert updated.data.previous_attributes["metadata"].to_dict() == {"invoice_number": "INV-1001"}
    assert (created.api_version, created.livemode) == (stripe.api_version, False)


async def test_events_are_found_by_type_types_wildcard_and_time(
    client: stripe.StripeClient, server: LocalStripe, clock: Clock
) -> None:
    link = await client.v1.payment_links.create_async(link_params() | MANY)
    clock.now += 100
    await server.pay(link.id)

    async def found(**params: Any) -> set[str]:
        return {event.type for event in (await client.v1.events.list_async(params)).data}  # type: ignore[arg-type]

    assert await found(types=[COMPLETED, "charge.succeeded"]) == {COMPLETED, "charge.succeeded"}
    assert await found(type="payment_intent.*") == {"payment_intent.created", "payment_intent.succeeded"}
    assert await found(type=COMPLETED) == {COMPLETED}
    assert await found(created={"lt": server.now()}) == {
        "product.created",
        "price.created",
        "payment_link.created",
    }
    assert COMPLETED in await found(created={"gte": server.now()})
    assert await found(created={"gt": server.now()}) == set()


async def test_at_most_20_types_and_not_both_ways(client: stripe.StripeClient) -> None:
    assert (await client.v1.events.list_async({"types": [f"t.{n}" for n in range(20)]})).data == []
    both: Any = {"type": "a", "types": ["b"]}
    many: Any = {"types": [f"t.{n}" for n in range(21)]}
    for refused in (partial(client.v1.events.list_async, both), partial(client.v1.events.list_async, many)):
        assert error_of(await refusal(refused))["param"] == "types"


async def test_pages_of_events_meet_without_gap(client: stripe.StripeClient, server: LocalStripe) -> None:
    link = await client.v1.payment_links.create_async(link_params() | MANY)
    sessions = [(await server.pay(link.id))["id"] for _ in range(7)]
    page = await client.v1.events.list_async({"types": [COMPLETED], "limit": 3})
    assert page.has_more
    assert [event.data.object["id"] async for event in page.auto_paging_iter()] == sessions[::-1]


async def test_events_come_late_and_in_any_order(
    client: stripe.StripeClient, server: LocalStripe, clock: Clock
) -> None:
    server.event_rules.delay = (5.0, 60.0)
    server.event_rules.shuffle = True
    link = await client.v1.payment_links.create_async(link_params() | MANY)
    sessions = [(await server.pay(link.id))["id"] for _ in range(30)]
    seen = []
    for _ in range(7):
        seen.append(len(await completed(client)))
        clock.now += 10
    assert seen[0] == 0
    assert seen[-1] == 30
    assert 0 < seen[3] < 30
    listed = [event.data.object["id"] for event in await completed(client)]
    assert sorted(listed) == sorted(sessions)
    assert listed not in (sessions, sessions[::-1])
    assert {event.created for event in await completed(client)} == {1_790_000_000}


async def test_a_fact_may_yield_two_events(client: stripe.StripeClient, server: LocalStripe) -> None:
    server.event_rules.duplicate = 1.0
    link = await client.v1.payment_links.create_async(link_params())
    await server.pay(link.id)
    events = await completed(client)
    assert len({event.id for event in events}) == 2
    assert len({event.data.object["id"] for event in events}) == 1


async def test_events_are_gone_after_30_days(
    client: stripe.StripeClient, server: LocalStripe, clock: Clock
) -> None:
    link = await client.v1.payment_links.create_async(link_params())
    await server.pay(link.id)
    (event,) = await completed(client)
    clock.now += 30 * 24 * 3600 - 1
    assert len(await completed(client)) == 1
    clock.now += 1
    assert await completed(client) == []
    error = await refusal(lambda: client.v1.events.retrieve_async(event.id))
    assert (error.http_status, error_of(error)["code"]) == (404, "resource_missing")
    error = await refusal(lambda: completed(client, starting_after=event.id))
    assert (error.http_status, error_of(error)["param"]) == (400, "starting_after")
    sessions = await client.v1.checkout.sessions.list_async({"status": "complete"})
    assert len(sessions.data) == 1


async def test_events_are_rendered_in_the_accounts_version(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    server.event_rules.api_version = "2020-08-27"
    link = await client.v1.payment_links.create_async(link_params())
    await server.pay(link.id)
    (event,) = await completed(client)
    assert event.api_version == "2020-08-27"
    assert "presentment_details" not in event.data.object
    assert event.data.object["ui_mode"] == "hosted"
    intents = await client.v1.events.list_async({"type": "payment_intent.succeeded"})
    assert "latest_charge" not in intents.data[0].data.object


async def test_a_delivery_is_signed_over_its_raw_body(
    client: stripe.StripeClient, server: LocalStripe, clock: Clock, receiver: Receiver
) -> None:
    endpoint = server.add_webhook(receiver.url, enabled_events=[COMPLETED])
    link = await client.v1.payment_links.create_async(link_params())
    await server.pay(link.id)
    await server.webhooks_settled()
    assert receiver.types == [COMPLETED]
    arguments = receiver.bodies[0], receiver.signatures[0]
    event = stripe.Webhook.construct_event(*arguments, endpoint["secret"], tolerance=0)
    assert event.id == (await completed(client))[0].id
    assert f"t={int(clock.now)}," in receiver.signatures[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(*arguments, "whsec_other", tolerance=0)


async def test_both_secrets_sign_while_one_rolls(
    client: stripe.StripeClient, server: LocalStripe, receiver: Receiver
) -> None:
    old = "whsec_old"
    endpoint = server.add_webhook(receiver.url, secrets=[old], enabled_events=[COMPLETED])
    new = server.roll_secret(endpoint["id"])
    link = await client.v1.payment_links.create_async(link_params() | MANY)
    await server.pay(link.id)
    await server.webhooks_settled()
    for secret in (old, new):
        stripe.WebhookSignature.verify_header(receiver.bodies[0].decode(), receiver.signatures[0], secret)
    server.roll_secret(endpoint["id"], new="whsec_newest", keep_old=False)
    await server.pay(link.id)
    await server.webhooks_settled()
    assert receiver.signatures[1].count("v1=") == 1


async def test_a_delivery_is_repeated_until_it_is_answered_2xx(
    client: stripe.StripeClient, server: LocalStripe, receiver: Receiver
) -> None:
    server.webhook_rules.retry_after = (0.01, 0.01)
    receiver.statuses = [500, 404, 204]
    receiver.open.clear()
    server.add_webhook(receiver.url, enabled_events=[COMPLETED])
    link = await client.v1.payment_links.create_async(link_params() | MANY)
    await server.pay(link.id)
    assert len(await completed(client, delivery_success=False)) == 1
    receiver.open.set()
    await server.webhooks_settled()
    assert [attempt.status for attempt in server.webhooks.attempts] == [500, 404, 204]
    assert len(set(receiver.ids())) == 1
    assert [event.pending_webhooks for event in await completed(client, delivery_success=True)] == [0]
    receiver.statuses = [500, 500, 500]
    await server.pay(link.id)
    await server.webhooks_settled()
    assert len(await completed(client, delivery_success=False)) == 1


async def test_deliveries_are_doubled_and_overtake_each_other(
    client: stripe.StripeClient, server: LocalStripe, receiver: Receiver
) -> None:
    server.webhook_rules.duplicate = 1.0
    server.webhook_rules.delay = (0.0, 0.1)
    server.add_webhook(receiver.url)
    link = await client.v1.payment_links.create_async(link_params() | MANY)
    for _ in range(3):
        await server.pay(link.id)
    await server.webhooks_settled()
    order = [event["id"] for event in server.objects("event")]
    assert sorted(receiver.ids()) == sorted(order * 2)
    assert list(dict.fromkeys(receiver.ids())) != order


async def test_an_endpoint_that_cannot_be_reached_harms_nobody(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    server.webhook_rules.retry_after = ()
    server.add_webhook("http://127.0.0.1:9/stripe/webhook")
    await client.v1.payment_links.create_async(link_params())
    await server.webhooks_settled()
    assert {attempt.status for attempt in server.webhooks.attempts} == {None}


async def test_test_events_can_reach_a_live_endpoint(
    client: stripe.StripeClient, server: LocalStripe, receiver: Receiver
) -> None:
    server.add_webhook(receiver.url, livemode=True)
    await client.v1.payment_links.create_async(link_params())
    await server.webhooks_settled()
    assert receiver.types == []
    server.webhook_rules.also_other_mode = True
    await client.v1.payment_links.create_async(link_params())
    await server.webhooks_settled()
    assert {json.loads(body)["livemode"] for body in receiver.bodies} == {False}


async def test_endpoints_are_made_and_listed_over_the_api(
    client: stripe.StripeClient, server: LocalStripe, receiver: Receiver
) -> None:
    endpoint = await client.v1.webhook_endpoints.create_async(
        {"url": receiver.url, "enabled_events": [COMPLETED]}
    )
    assert endpoint.secret is not None
    assert endpoint.secret.startswith("whsec_")
    (listed,) = (await client.v1.webhook_endpoints.list_async()).data
    assert (listed.id, listed.url, listed.enabled_events) == (endpoint.id, receiver.url, [COMPLETED])
    assert "secret" not in listed
    error = await refusal(
        lambda: client.v1.webhook_endpoints.create_async({"url": "nowhere", "enabled_events": ["*"]})
    )
    assert error_of(error)["param"] == "url"
    unknown: Any = {"url": receiver.url, "enabled_events": ["link.paid"]}
    error = await refusal(lambda: client.v1.webhook_endpoints.create_async(unknown))
    assert error_of(error)["param"] == "enabled_events[0]"
    past = (await client.v1.payment_links.create_async(link_params())).id
    await server.pay(past)
    await server.webhooks_settled()
    server.resend((await completed(client))[0].id)
    await server.webhooks_settled()
    assert receiver.types == [COMPLETED, COMPLETED]


async def test_endpoints_are_changed_and_deleted_and_are_sixteen_at_most(
    client: stripe.StripeClient, server: LocalStripe, receiver: Receiver
) -> None:
    hooks = client.v1.webhook_endpoints
    first, *others = [
        await hooks.create_async({"url": receiver.url, "enabled_events": [COMPLETED]}) for _ in range(16)
    ]
    error = await refusal(lambda: hooks.create_async({"url": receiver.url, "enabled_events": [COMPLETED]}))
    assert error_of(error)["message"] == "You have reached the maximum of 16 test webhook endpoints."
    changed = await hooks.update_async(first.id, {"enabled_events": ["charge.refunded"], "disabled": True})
    assert (changed.status, changed.enabled_events) == ("disabled", ["charge.refunded"])
    assert "secret" not in changed
    for other in others:
        assert (await hooks.delete_async(other.id)).deleted
    assert [one.id for one in (await hooks.list_async()).data] == [first.id]
    assert error_of(await refusal(lambda: hooks.delete_async(others[0].id)))["code"] == "resource_missing"
    server.add_key("rk_test_0123456789abcdef", permissions={"rak_webhook_read"})
    kept: stripe.RequestOptions = {"api_key": "rk_test_0123456789abcdef"}
    for denied in (
        lambda: hooks.update_async(first.id, {"disabled": False}, kept),
        lambda: hooks.delete_async(first.id, {}, kept),
    ):
        assert "'rak_webhook_write'" in error_of(await refusal(denied))["message"]
