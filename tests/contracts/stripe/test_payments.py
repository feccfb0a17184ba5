"""Sessions and payments: what buyers and banks do and what the API then shows."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import stripe

from sandbox.stripe.objects.payments import BuyerStopped, LinkInactive, SessionClosed
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


def kinds(server: LocalStripe) -> list[str]:
    quiet = ("product.created", "price.created", "payment_link.created")
    return [event["type"] for event in server.objects("event") if event["type"] not in quiet]


async def test_a_paid_session_agrees_with_its_link(client: stripe.StripeClient, server: LocalStripe) -> None:
    link = await client.v1.payment_links.create_async(link_params(amount=120_050, currency="usd"))
    opened = await server.open_session(link.url, client_reference_id="ref-1")
    assert (opened["status"], opened["payment_status"], opened["payment_intent"]) == ("open", "unpaid", None)
    await server.pay(opened["id"], email="ann@example.com")
    expand = ["line_items", "payment_intent.latest_charge"]
    session = await client.v1.checkout.sessions.retrieve_async(opened["id"], {"expand": expand})
    assert (session.status, session.payment_status, session.url) == ("complete", "paid", None)
    assert (session.amount_total, session.currency, session.livemode) == (120_050, "usd", False)
    assert (session.payment_link, session.client_reference_id) == (link.id, "ref-1")
    assert session.metadata is not None
    assert session.metadata.to_dict() == {"invoice_number": "INV-1001"}
    assert session.customer_details is not None
    assert session.customer_details.email == "ann@example.com"
    assert session.presentment_details is None
    assert session.line_items is not None
    assert session.line_items.data[0].amount_total == 120_050
    intent = session.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert (intent.status, intent.amount_received, intent.metadata.to_dict()) == (
        "succeeded",
        120_050,
        {"invoice_number": "INV-1001"},
    )
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.paid, charge.amount, charge.metadata.to_dict()) == (
        True,
        120_050,
        {"invoice_number": "INV-1001"},
    )
    assert kinds(server) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "payment_link.updated",
    ]


async def test_the_link_goes_inactive_at_its_limit_of_completed_sessions(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    link = await client.v1.payment_links.create_async(
        link_params(restrictions={"completed_sessions": {"limit": 2}})
    )
    await server.open_session(link.id)
    await server.pay(link.id)
    assert (await client.v1.payment_links.retrieve_async(link.id)).active
    await server.pay(link.id)
    link = await client.v1.payment_links.retrieve_async(link.id)
    assert not link.active
    assert link.restrictions is not None
    assert link.restrictions.completed_sessions.count == 2
    with pytest.raises(LinkInactive, match=r"This invoice was paid\."):
        await server.open_session(link.id)


async def test_two_sessions_that_are_open_can_both_be_paid(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    link = await client.v1.payment_links.create_async(link_params())
    first, second = [(await server.open_session(link.id))["id"] for _ in range(2)]
    await server.pay(first)
    await server.pay(second)
    complete = await client.v1.checkout.sessions.list_async({"payment_link": link.id, "status": "complete"})
    assert [session.id for session in complete.data] == [second, first]


async def test_unless_the_account_is_told_not_to_complete_late_ones(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    server.rules.late_sessions_complete = False
    link = await client.v1.payment_links.create_async(link_params())
    first, second = [(await server.open_session(link.id))["id"] for _ in range(2)]
    await server.pay(first)
    with pytest.raises(LinkInactive):
        await server.pay(second)


async def test_an_unpaid_session_is_complete_and_settles_later(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    link = await client.v1.payment_links.create_async(
        link_params(restrictions={"completed_sessions": {"limit": 5}})
    )
    for succeeded, status in ((True, "paid"), (False, "unpaid")):
        waiting = await server.pay(link.id, unpaid=True)
        assert (waiting["status"], waiting["payment_status"]) == ("complete", "unpaid")
        await server.settle(waiting["id"], succeeded=succeeded)
        session = await client.v1.checkout.sessions.retrieve_async(waiting["id"])
        assert session.payment_status == status
    assert [kind for kind in kinds(server) if "async" in kind] == [
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
    ]


async def test_a_declined_card_leaves_the_session_open(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    link = await client.v1.payment_links.create_async(link_params())
    session = await server.open_session(link.id)
    await server.decline(session["id"], code="insufficient_funds")
    shown = await client.v1.checkout.sessions.retrieve_async(session["id"], {"expand": ["payment_intent"]})
    assert (shown.status, shown.payment_status) == ("open", "unpaid")
    assert isinstance(shown.payment_intent, stripe.PaymentIntent)
    assert shown.payment_intent.last_payment_error is not None
    assert shown.payment_intent.last_payment_error.decline_code == "insufficient_funds"
    paid = await server.pay(session["id"])
    assert paid["payment_intent"] == shown.payment_intent.id
    assert kinds(server)[:3] == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]


@pytest.mark.parametrize(("amount", "currency"), [(1, None), (None, "eur"), (9_999, "jpy")])
async def test_a_payment_may_differ_from_its_link(
    client: stripe.StripeClient, server: LocalStripe, amount: int | None, currency: str | None
) -> None:
    link = await client.v1.payment_links.create_async(link_params(amount=500))
    paid = await server.pay(link.id, amount=amount, currency=currency)
    session = await client.v1.checkout.sessions.retrieve_async(paid["id"], {"expand": ["payment_intent"]})
    assert isinstance(session.payment_intent, stripe.PaymentIntent)
    expected = (amount or 500, currency or "usd")
    assert (session.amount_total, session.currency) == expected
    assert (session.payment_intent.amount_received, session.payment_intent.currency) == expected


async def test_adaptive_pricing_shows_beside_the_links_own_amount(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    link = await client.v1.payment_links.create_async(link_params(amount=500))
    paid = await server.pay(link.id, presentment=(77_000, "jpy"))
    session = await client.v1.checkout.sessions.retrieve_async(paid["id"])
    assert (session.amount_total, session.currency) == (500, "usd")
    assert session.presentment_details is not None
    assert session.presentment_details.to_dict() == {
        "presentment_amount": 77_000,
        "presentment_currency": "jpy",
    }


async def test_a_session_expires_after_a_day_or_when_it_is_told_to(
    client: stripe.StripeClient, server: LocalStripe, clock: Clock
) -> None:
    link = await client.v1.payment_links.create_async(link_params())
    old = await server.open_session(link.id)
    clock.now += DAY - 1
    young = await server.open_session(link.id)
    assert (await client.v1.checkout.sessions.retrieve_async(old["id"])).status == "open"
    clock.now += 1
    assert (await client.v1.checkout.sessions.retrieve_async(old["id"])).status == "expired"
    expired = await client.v1.checkout.sessions.expire_async(young["id"])
    assert expired.status == "expired"
    error = await refusal(lambda: client.v1.checkout.sessions.expire_async(young["id"]))
    assert "has a status of expired" in error_of(error)["message"]
    with pytest.raises(SessionClosed):
        await server.pay(young["id"])
    events = await client.v1.events.list_async({"type": "checkout.session.expired"})
    assert {event.data.object["id"] for event in events.data} == {old["id"], young["id"]}


async def test_sessions_are_found_by_time_link_status_and_buyer(
    client: stripe.StripeClient, server: LocalStripe, clock: Clock
) -> None:
    link = await client.v1.payment_links.create_async(
        link_params(restrictions={"completed_sessions": {"limit": 9}})
    )
    start = server.now()
    ids = []
    for number in range(4):
        ids.append((await server.pay(link.id, email=f"b{number}@example.com"))["id"])
        clock.now += 10
    still_open = (await server.open_session(link.id))["id"]

    async def found(**params: Any) -> list[str]:
        return [item.id for item in (await client.v1.checkout.sessions.list_async(params)).data]  # type: ignore[arg-type]

    assert await found(status="complete") == ids[::-1]
    assert await found(status="open", payment_link=link.id) == [still_open]
    assert await found(payment_link="plink_other") == []
    assert await found(status="complete", created={"gte": start + 10, "lt": start + 30}) == [ids[2], ids[1]]
    assert await found(created={"gt": start + 10, "lte": start + 30}) == [ids[3], ids[2]]
    assert await found(customer_details={"email": "b2@example.com"}) == [ids[2]]
    assert await found(limit=1, starting_after=ids[2]) == [ids[1]]


async def test_small_amounts_can_be_refused_when_they_are_paid_instead(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    server.rules.least_checked = "payment"
    link = await client.v1.payment_links.create_async(link_params(amount=49))
    with pytest.raises(BuyerStopped, match="too small"):
        await server.pay(link.id)
    server.rules.least_checked = "never"
    assert (await server.pay(link.id))["payment_status"] == "paid"


@pytest.mark.parametrize("limit", [0, 101])
async def test_a_page_has_one_to_a_hundred_items(client: stripe.StripeClient, limit: int) -> None:
    error = await refusal(lambda: client.v1.charges.list_async({"limit": limit}))
    assert error_of(error)["param"] == "limit"
    assert len((await client.v1.charges.list_async({"limit": 100})).data) == 0


async def test_a_cursor_must_exist_and_expansion_must_make_sense(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    error = await refusal(lambda: client.v1.checkout.sessions.list_async({"starting_after": "cs_none"}))
    assert (error.http_status, error_of(error)["code"], error_of(error)["param"]) == (
        400,
        "resource_missing",
        "starting_after",
    )
    link = await client.v1.payment_links.create_async(link_params())
    await server.pay(link.id)
    page = await client.v1.checkout.sessions.list_async(
        {"expand": ["data.payment_intent", "data.line_items"]}
    )
    assert isinstance(page.data[0].payment_intent, stripe.PaymentIntent)
    assert page.data[0].line_items is not None
    for path in ("data.amount_total", "data.custom_text", "line_items", "a.b.c.d.e"):
        error = await refusal(partial(client.v1.checkout.sessions.list_async, {"expand": [path]}))
        assert error_of(error)["param"] == "expand"
