"""Refunds with all their statuses: what the charge, the lists and the events then say."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from sandbox.stripe.server import LocalStripe
from tests.contracts.stripe.fixtures import (  # noqa: F401
    Clock,
    client_fixture,
    clock_fixture,
    error_of,
    link_params,
    paid,
    refusal,
    server_fixture,
    told,
)


async def test_refunds_add_up_to_the_charge_and_no_further(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    link = await client.v1.payment_links.create_async(link_params(amount=1000))
    intent = str((await server.pay(link.id))["payment_intent"])
    refund = await client.v1.refunds.create_async({"payment_intent": intent, "amount": 400})
    charge = await client.v1.charges.retrieve_async(str(refund.charge), {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (400, False)
    assert charge.refunds is not None
    assert [item.id for item in charge.refunds.data] == [refund.id]
    error = await refusal(lambda: client.v1.refunds.create_async({"payment_intent": intent, "amount": 601}))
    assert error_of(error)["message"] == (
        "Refund amount (USD 6.01) is greater than unrefunded amount on charge (USD 6.00)"
    )
    await server.refund(intent)
    assert (await client.v1.charges.retrieve_async(charge.id)).refunded
    error = await refusal(lambda: client.v1.refunds.create_async({"charge": charge.id}))
    assert error_of(error)["code"] == "charge_already_refunded"
    assert told(server, "refund") == ["refund.created", "charge.refunded"] * 2
    assert [
        item.amount for item in (await client.v1.refunds.list_async({"payment_intent": intent})).data
    ] == [600, 400]


async def charge_of(client: stripe.StripeClient, refund: stripe.Refund) -> tuple[int, bool]:
    charge = await client.v1.charges.retrieve_async(str(refund.charge))
    return charge.amount_refunded, charge.refunded


@pytest.mark.parametrize("amount", [1000, 400])
async def test_a_refund_that_fails_gives_its_sum_back_to_the_charge(
    client: stripe.StripeClient, server: LocalStripe, amount: int
) -> None:
    intent = await paid(client, server)
    made = await server.refund(intent, amount=amount)
    refund = await client.v1.refunds.retrieve_async(made["id"])
    assert (refund.status, await charge_of(client, refund)) == ("succeeded", (amount, amount == 1000))
    await server.change_refund(refund.id, status="failed", failure_reason="expired_or_canceled_card")
    refund = await client.v1.refunds.retrieve_async(refund.id)
    assert (refund.status, refund.failure_reason) == ("failed", "expired_or_canceled_card")
    assert str(refund.failure_balance_transaction).startswith("txn_")
    assert await charge_of(client, refund) == (0, False)
    assert told(server, "refund") == [
        "refund.created",
        "charge.refunded",
        "charge.refund.updated",
        "refund.updated",
        "refund.failed",
    ]
    updated = (await client.v1.events.list_async({"type": "refund.updated"})).data[0]
    assert updated.data.object["status"] == "failed"
    assert updated.data.previous_attributes is not None
    assert updated.data.previous_attributes["status"] == "succeeded"
    again = await client.v1.refunds.create_async({"payment_intent": intent, "amount": amount})
    assert await charge_of(client, again) == (amount, amount == 1000)


async def test_a_refund_waits_and_then_succeeds_or_is_cancelled(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    intent = await paid(client, server)
    first = await server.refund(intent, amount=300, status="pending")
    assert (first["status"], first["pending_reason"]) == ("pending", "processing")
    second = await server.refund(intent, amount=200, status="requires_action")
    assert await charge_of(client, await client.v1.refunds.retrieve_async(first["id"])) == (500, False)
    done = await server.change_refund(first["id"], status="succeeded")
    assert (done["status"], done["pending_reason"]) == ("succeeded", None)
    cancelled = await client.v1.refunds.cancel_async(second["id"])
    assert (cancelled.status, await charge_of(client, cancelled)) == ("canceled", (300, False))
    error = await refusal(lambda: client.v1.refunds.cancel_async(first["id"]))
    assert "succeeded" in error_of(error)["message"]
    assert "refund.failed" not in told(server, "refund")


@pytest.mark.parametrize("status", ["failed", "canceled"])
async def test_a_refund_can_end_as_it_is_made(
    client: stripe.StripeClient, server: LocalStripe, status: str
) -> None:
    refund = await server.refund(await paid(client, server), status=status)
    assert refund["status"] == status
    assert await charge_of(client, await client.v1.refunds.retrieve_async(refund["id"])) == (0, False)
    assert told(server, "refund")[:3] == ["refund.created", "charge.refunded", "charge.refund.updated"]
    made = (await client.v1.events.list_async({"type": "refund.created"})).data[0]
    assert made.data.object["status"] == "pending"


async def test_a_reference_is_an_update_without_another_status(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    refund = await server.refund(await paid(client, server))
    await server.change_refund(refund["id"], reference="24692166123456789012345")
    event = (await client.v1.events.list_async({"type": "refund.updated"})).data[0]
    assert event.data.object["status"] == "succeeded"
    assert event.data.object["destination_details"]["card"]["reference"] == "24692166123456789012345"
    assert event.data.previous_attributes is not None
    assert event.data.previous_attributes.to_dict() == {"destination_details": {"card": {"reference": None}}}
    assert await charge_of(client, await client.v1.refunds.retrieve_async(refund["id"])) == (1000, True)


@pytest.mark.parametrize(
    ("status", "following"),
    [("failed", "succeeded"), ("canceled", "succeeded"), ("succeeded", "pending"), ("succeeded", "won")],
)
async def test_an_end_is_an_end(
    client: stripe.StripeClient, server: LocalStripe, status: str, following: str
) -> None:
    refund = await server.refund(await paid(client, server), status=status)
    before = server.objects("event")
    with pytest.raises(ValueError, match="doesn't become"):
        await server.change_refund(refund["id"], status=following)
    assert server.objects("event") == before


async def test_refunds_are_found_by_charge_payment_and_time(
    client: stripe.StripeClient, server: LocalStripe, clock: Clock
) -> None:
    one, other = await paid(client, server), await paid(client, server)
    start, ids = server.now(), []
    for intent in (one, one, other):
        ids.append((await server.refund(intent, amount=100))["id"])
        clock.now += 10

    async def found(**params: Any) -> list[str]:
        return [item.id for item in (await client.v1.refunds.list_async(params)).data]  # type: ignore[arg-type]

    charge = server.find(one)["latest_charge"]
    assert await found() == ids[::-1]
    assert await found(charge=charge) == [ids[1], ids[0]]
    assert await found(payment_intent=other) == [ids[2]]
    assert await found(payment_intent=one, created={"gte": start + 10}) == [ids[1]]
    assert await found(created={"lt": start + 10}) == [ids[0]]
    error = await refusal(lambda: found(status="failed"))
    assert error_of(error)["code"] == "parameter_unknown"
