"""What comes from Stripe: what is taken, every refusal, and when it is asked to come again."""

import json
import time

import pytest

from domain.payments.events import Receipt
from tests.bot.web.receiver import SECRETS, Server, event, server, sign_stripe

__all__ = ["server"]


async def test_what_is_told_of_a_workspace_is_answered_with_nothing_else(server: Server) -> None:
    assert await server.stripe(event(), team="/T0ACME") == (200, '{"received": "kept"}')
    assert await server.stripe(event(), "t=1,v1=0", team="/T0ACME") == (400, '{"received": "signature"}')
    assert await server.stripe(event(), team="/T0NOBODY") == (404, '{"received": "unknown"}')
    for wrong in ("/t0acme", "/T0ACME/x", "/T0%2FACME", "/"):
        assert (await server.stripe(event(), team=wrong))[0] == 404
    server.database_away = True
    assert (await server.stripe(event(), team="/T0ACME"))[0] == 503
    server.begun = False
    assert (await server.stripe(event(), team="/T0ACME"))[0] == 503
    assert server.events == []


async def test_a_signed_event_is_kept(server: Server) -> None:
    assert (await server.stripe(event()))[0] == 200
    assert [one["id"] for one in server.events] == ["evt_1"]


@pytest.mark.parametrize("secret", SECRETS)
async def test_while_a_secret_rolls_both_are_taken(secret: str, server: Server) -> None:
    assert (await server.stripe(event(), sign_stripe(event(), secret=secret)))[0] == 200


async def test_what_stripe_did_not_sign_just_now_is_refused_with_400(server: Server) -> None:
    body = event()

    for signature in (
        "",
        "t=1,v1=",
        "t=abc,v1=abc",
        "v1=abc",
        "t=" + "9" * 5000 + ",v1=1",
        sign_stripe(body, secret="whsec_another"),
        sign_stripe(b"another"),
        sign_stripe(body, at=time.time() - 301),
        sign_stripe(body, at=time.time() + 360),
        sign_stripe(body).replace("v1=", "v0="),
    ):
        assert (await server.stripe(body, signature))[0] == 400, signature
    assert server.events == []


async def test_signed_bodies_that_are_no_events_are_refused_with_400(server: Server) -> None:
    for body in (b"", b"[]", b"{", b"\xff", b"[" * 100_000, event(type="broken")):
        assert (await server.stripe(body))[0] == 400


async def test_an_event_of_the_other_mode_is_taken_and_ignored(server: Server) -> None:
    assert (await server.stripe(event(livemode=True)))[0] == 200
    assert server.events == []


@pytest.mark.parametrize("receipt", Receipt)
async def test_stripe_is_told_with_200_what_became_of_an_event(server: Server, receipt: Receipt) -> None:
    server.receipt = receipt

    status, said = await server.stripe(event())

    assert (status, json.loads(said)) == (200, {"received": receipt.value})


async def test_stripe_is_asked_to_come_again_while_the_database_is_away(server: Server) -> None:
    server.database_away = True

    assert (await server.stripe(event()))[0] == 503
