"""Keys, permissions, modes, accounts, versions, and rates."""

from __future__ import annotations

import asyncio
from functools import partial

import aiohttp
import pytest
import stripe

from sandbox.stripe.api.rate import RateCounter, RateLimits
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.contracts.stripe.fixtures import (  # noqa: F401
    client_fixture,
    clock_fixture,
    error_of,
    http_fixture,
    link_params,
    refusal,
    sdk,
    server_fixture,
)

RESTRICTED = "rk_test_0123456789abcdef"

IN_TIME = 60.0
"""Seconds in which all of a test's requests come, however busy the machine is: Stripe's own window is one."""


async def test_an_unknown_key_is_named_by_its_ends_alone(client: stripe.StripeClient) -> None:
    error = await refusal(
        lambda: client.v1.payment_links.list_async({}, {"api_key": "sk_test_nobodyknowsthis1"})
    )
    assert isinstance(error, stripe.AuthenticationError)
    assert error_of(error)["message"] == "Invalid API Key provided: sk_test_************his1"


@pytest.mark.parametrize("flag", ["revoked", "expired"])
async def test_a_key_stops_at_once_when_it_is_revoked_or_expires(
    client: stripe.StripeClient, server: LocalStripe, flag: str
) -> None:
    await client.v1.payment_links.list_async()
    setattr(server.key(server.api_key), flag, True)
    error = await refusal(client.v1.payment_links.list_async)
    assert (error.http_status, error_of(error)["code"]) == (401, "api_key_expired")
    setattr(server.key(server.api_key), flag, False)
    await client.v1.payment_links.list_async()


async def test_no_key_and_a_publishable_key(server: LocalStripe) -> None:
    async with aiohttp.ClientSession(server.api_url) as http:
        answer = await http.get("/v1/payment_links")
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        answer = await http.get("/v1/payment_links", headers={"Authorization": "Bearer pk_test_123456789"})
        assert (await answer.json())["error"]["code"] == "secret_key_required"
        answer = await http.get(
            "/v1/payment_links", headers={"Authorization": aiohttp.encode_basic_auth(server.api_key, "")}
        )
        assert answer.status == 200


async def test_a_403_names_the_missing_permission(client: stripe.StripeClient, server: LocalStripe) -> None:
    server.add_key(RESTRICTED, permissions={"rak_payment_link_read"})
    options: stripe.RequestOptions = {"api_key": RESTRICTED}
    await client.v1.payment_links.list_async({}, options)
    error = await refusal(lambda: client.v1.payment_links.create_async(link_params(), options))
    assert isinstance(error, stripe.PermissionError)
    assert error_of(error)["message"] == (
        "The provided key 'rk_test_************cdef' does not have the required permissions for this endpoint on "
        f"account '{server.account}'. Having the 'rak_payment_link_write' permission would allow this request to "
        "continue."
    )
    server.key(RESTRICTED).permissions = frozenset({"rak_payment_link_write"})
    await client.v1.payment_links.create_async(link_params(), options)
    await client.v1.payment_links.list_async({}, options)


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        ("/v1/payment_links", "rak_payment_link_read"),
        ("/v1/checkout/sessions", "rak_checkout_session_read"),
        ("/v1/events", "rak_event_read"),
        ("/v1/charges", "rak_charge_read"),
        ("/v1/disputes", "rak_dispute_read"),
        ("/v1/payment_intents", "rak_payment_intent_read"),
        ("/v1/webhook_endpoints", "rak_webhook_read"),
    ],
)
async def test_each_endpoint_has_its_permission(
    client: stripe.StripeClient, server: LocalStripe, path: str, permission: str
) -> None:
    server.add_key(RESTRICTED, permissions=())
    error = await refusal(lambda: client.raw_request_async("get", path, api_key=RESTRICTED))
    assert f"Having the '{permission}' permission" in error_of(error)["message"]


async def test_test_and_live_data_are_separate_worlds(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    live: stripe.RequestOptions = {"api_key": server.add_key("sk_live_0123456789abcdef").secret}
    await client.v1.payment_links.create_async(link_params())
    link = await client.v1.payment_links.create_async(link_params(), live)
    assert link.livemode
    assert "/test_" not in link.url
    assert [item.id for item in (await client.v1.payment_links.list_async({}, live)).data] == [link.id]
    paid = await server.pay(link.url)
    assert paid["livemode"]
    assert paid["id"].startswith("cs_live_")
    events = await client.v1.events.list_async({"type": "checkout.session.completed"}, live)
    assert [event.livemode for event in events.data] == [True]
    assert (await client.v1.events.list_async({"type": "checkout.session.completed"})).data == []


async def test_another_account_is_out_of_reach(client: stripe.StripeClient, server: LocalStripe) -> None:
    server.add_key("sk_test_0123456789abcdef", account="acct_other")
    await client.v1.payment_links.create_async(link_params())
    assert (await client.v1.payment_links.list_async({}, {"api_key": "sk_test_0123456789abcdef"})).data == []
    error = await refusal(lambda: client.v1.payment_links.list_async({}, {"stripe_account": "acct_other"}))
    assert (error.http_status, error_of(error)["code"]) == (403, "account_invalid")
    account = await client.v1.accounts.retrieve_current_async()
    assert account.id == server.account


async def test_keys_of_two_accounts_with_and_without_the_right_to_read_them(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    account = "rak_accounts_kyc_basic_read"
    keys = {
        "a": server.add_key("rk_test_aaaaaaaaaaaaaaaa", without={account}),
        "a again": server.add_key("sk_test_aaaaaaaaaaaaaaaa"),
        "b": server.add_key("sk_test_bbbbbbbbbbbbbbbb", account="acct_b"),
        "b restricted": server.add_key("rk_test_bbbbbbbbbbbbbbbb", account="acct_b", without={account}),
    }
    options: dict[str, stripe.RequestOptions] = {name: {"api_key": key.secret} for name, key in keys.items()}
    link = await client.v1.payment_links.create_async(link_params(), options["a"])
    assert (await client.v1.payment_links.retrieve_async(link.id, {}, options["a again"])).id == link.id
    for name in ("b", "b restricted"):
        error = await refusal(partial(client.v1.payment_links.retrieve_async, link.id, {}, options[name]))
        assert (error.http_status, error_of(error)["code"]) == (404, "resource_missing")
    for name in ("a", "b restricted"):
        error = await refusal(partial(client.v1.accounts.retrieve_current_async, {}, options[name]))
        assert isinstance(error, stripe.PermissionError)
        assert account in error_of(error)["message"]
    found = [
        (await client.v1.accounts.retrieve_current_async({}, options[name])).id for name in ("a again", "b")
    ]
    assert found == [server.account, "acct_b"]
    paid = await server.pay(link.url)
    events = client.v1.events
    assert (await events.list_async({"type": "checkout.session.completed"}, options["b"])).data == []
    seen = (await events.list_async({"type": "checkout.session.completed"}, options["a"])).data
    assert [event.data.object["id"] for event in seen] == [paid["id"]]
    keys["a"].expired = True
    error = await refusal(partial(events.list_async, {}, options["a"]))
    assert (error.http_status, error_of(error)["code"]) == (401, "api_key_expired")
    assert (await events.list_async({"limit": 1}, options["a again"])).data


async def test_every_answer_carries_its_request_and_version(client: stripe.StripeClient) -> None:
    answer = (await client.v1.payment_links.list_async()).last_response
    assert answer is not None
    assert answer.headers["Request-Id"].startswith("req_")
    assert answer.headers["Stripe-Version"] == stripe.api_version
    error = await refusal(lambda: client.v1.payment_links.list_async({}, {"stripe_version": "tomorrow"}))
    assert error_of(error)["message"] == "Invalid Stripe API version: tomorrow"


async def test_the_test_modes_limit_is_25_requests_a_second(server: LocalStripe) -> None:
    server.limits.test = server.limits.endpoint = 25
    server.limits.window = IN_TIME
    async with sdk(server) as client:
        results = await asyncio.gather(
            *(client.v1.payment_links.create_async(link_params(f"INV-{n}")) for n in range(30)),
            return_exceptions=True,
        )
    refused = [result for result in results if isinstance(result, stripe.RateLimitError)]
    assert (len(results) - len(refused), len(server.links())) == (25, 25)
    assert refused[0].headers is not None
    assert refused[0].headers["Stripe-Rate-Limited-Reason"] == "endpoint-rate"
    assert (refused[0].http_status, error_of(refused[0])["code"]) == (429, "rate_limit")
    assert server.peak_rate(method="POST", path="/v1/payment_links", window=IN_TIME) == 30


async def test_a_limited_request_takes_no_key_and_the_window_passes(server: LocalStripe) -> None:
    server.limits.test, server.limits.window = 1, IN_TIME
    async with sdk(server) as client:
        await client.v1.payment_links.list_async()
        options: stripe.RequestOptions = {"idempotency_key": "k"}
        error = await refusal(lambda: client.v1.payment_links.create_async(link_params(), options))
        assert error.headers is not None
        assert error.headers["Stripe-Rate-Limited-Reason"] == "global-rate"
        server.limits.window = 0.0
        await client.v1.payment_links.create_async(link_params(), options)
    assert not server.requests[-1].replayed


def test_any_second_counts() -> None:
    counter = RateCounter(RateLimits(test=1), livemode=False)
    answers = [counter.refusal("GET /v1/events", at) is None for at in (10.0, 10.9, 11.0, 11.5, 12.1)]
    assert answers == [True, False, True, False, True]


async def test_live_mode_has_100_in_all_and_25_for_each_endpoint(server: LocalStripe) -> None:
    defaults = RateLimits()
    assert (defaults.live, defaults.test, defaults.endpoint, defaults.window) == (100, 25, 25, 1.0)
    server.limits.live, server.limits.endpoint, server.limits.window = 6, 2, IN_TIME
    server.add_key("sk_live_0123456789abcdef")
    paths = [f"/v1/{name}" for name in ("payment_links", "events", "charges", "disputes") for _ in range(3)]
    async with sdk(server, "sk_live_0123456789abcdef") as client:
        results = [
            (await asyncio.gather(client.raw_request_async("get", p), return_exceptions=True))[0]
            for p in paths
        ]
    refused = [result for result in results if isinstance(result, stripe.RateLimitError)]
    reasons = [(error.headers or {})["Stripe-Rate-Limited-Reason"] for error in refused]
    assert reasons == ["endpoint-rate"] * 3 + ["global-rate"] * 3


async def test_a_lock_timeout_is_a_429_without_a_reason(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    server.faults.add(FaultKind.LOCK_TIMEOUT)
    error = await refusal(client.v1.payment_links.list_async)
    assert isinstance(error, stripe.RateLimitError)
    assert error_of(error)["code"] == "lock_timeout"
    assert "Stripe-Rate-Limited-Reason" not in (error.headers or {})
