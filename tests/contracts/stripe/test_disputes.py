"""Disputes and inquiries with all their statuses, deadlines and events."""

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


async def test_a_dispute_opens_and_closes(client: stripe.StripeClient, server: LocalStripe) -> None:
    link = await client.v1.payment_links.create_async(link_params(amount=1000))
    paid = await server.pay(link.id)
    opened = await server.dispute(paid["id"], reason="product_not_received")
    dispute = await client.v1.disputes.retrieve_async(opened["id"])
    assert (dispute.status, dispute.reason, dispute.amount) == (
        "needs_response",
        "product_not_received",
        1000,
    )
    charge = await client.v1.charges.retrieve_async(str(dispute.charge))
    assert charge.disputed
    assert charge.payment_intent == paid["payment_intent"]
    await server.change_dispute(dispute.id, status="won")
    listed = await client.v1.disputes.list_async({"payment_intent": paid["payment_intent"]})
    assert [(item.id, item.status) for item in listed.data] == [(dispute.id, "won")]
    assert told(server, "dispute") == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]


async def test_an_inquiry_takes_no_money_and_is_closed(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    intent = await paid(client, server)
    opened = await server.dispute(intent, status="warning_needs_response", reason="unrecognized")
    assert (opened["balance_transactions"], opened["is_charge_refundable"]) == ([], True)
    answered = await server.submit_evidence(opened["id"])
    assert answered["status"] == "warning_under_review"
    closed = await server.change_dispute(opened["id"], status="warning_closed")
    assert (closed["status"], closed["balance_transactions"]) == ("warning_closed", [])
    assert told(server, "dispute") == [
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
    ]
    assert (await server.refund(intent))["status"] == "succeeded"


async def test_an_inquiry_becomes_a_dispute_with_a_deadline_of_its_own(
    client: stripe.StripeClient, server: LocalStripe, clock: Clock
) -> None:
    intent = await paid(client, server)
    opened = await server.dispute(intent, status="warning_needs_response", due_in=100)
    assert opened["evidence_details"]["due_by"] == server.now() + 100
    clock.now += 500
    dispute = await server.change_dispute(opened["id"], status="needs_response", due_in=900)
    assert dispute["evidence_details"]["due_by"] == server.now() + 900
    assert [moved["amount"] for moved in dispute["balance_transactions"]] == [-1000]
    assert told(server, "dispute") == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
    ]
    error = await refusal(lambda: client.v1.refunds.create_async({"payment_intent": intent}))
    assert error_of(error)["code"] == "charge_disputed"


async def test_evidence_is_kept_then_sent_and_counted(
    client: stripe.StripeClient, server: LocalStripe, clock: Clock
) -> None:
    opened = await server.dispute(await paid(client, server), due_in=100)
    await server.submit_evidence(opened["id"], submit=False)
    kept = (await client.v1.disputes.retrieve_async(opened["id"])).evidence_details
    assert (kept.has_evidence, kept.submission_count, kept.past_due) == (True, 0, False)
    clock.now += 101
    await server.submit_evidence(opened["id"])
    sent = await client.v1.disputes.retrieve_async(opened["id"])
    assert (sent.status, sent.evidence_details.submission_count, sent.evidence_details.past_due) == (
        "under_review",
        1,
        True,
    )
    with pytest.raises(ValueError, match="takes no evidence"):
        await server.submit_evidence(opened["id"])


@pytest.mark.parametrize("status", ["lost", "won", "prevented", "warning_closed"])
async def test_a_dispute_can_be_over_when_it_is_first_heard_of(
    client: stripe.StripeClient, server: LocalStripe, status: str
) -> None:
    opened = await server.dispute(await paid(client, server), status=status)
    dispute = await client.v1.disputes.retrieve_async(opened["id"])
    assert (dispute.status, dispute.evidence_details.due_by) == (status, 0)
    made = (await client.v1.events.list_async({"type": "charge.dispute.created"})).data[0]
    assert made.data.object["status"] == status
    assert ("charge.dispute.funds_withdrawn" in told(server, "dispute")) == (status in ("lost", "won"))
    assert ("charge.dispute.funds_reinstated" in told(server, "dispute")) == (status == "won")


async def test_an_end_can_be_overturned_and_a_prevented_one_gives_back(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    lost = await server.dispute(await paid(client, server))
    await server.change_dispute(lost["id"], status="lost")
    won = await server.change_dispute(lost["id"], status="won")
    assert sum(moved["amount"] for moved in won["balance_transactions"]) == 0
    other = await server.dispute(await paid(client, server))
    prevented = await server.change_dispute(other["id"], status="prevented")
    assert sum(moved["amount"] for moved in prevented["balance_transactions"]) == 0
    assert told(server, "dispute")[-2:] == ["charge.dispute.updated", "charge.dispute.funds_reinstated"]
    with pytest.raises(ValueError, match="doesn't become"):
        await server.change_dispute(other["id"], status="lost")


async def test_a_lost_one_can_be_appealed(client: stripe.StripeClient, server: LocalStripe) -> None:
    lost = await server.dispute(await paid(client, server), status="lost")
    appealed = await server.change_dispute(lost["id"], status="appeal_needs_response")
    assert appealed["evidence_details"]["due_by"] > server.now()
    assert (await server.submit_evidence(lost["id"]))["status"] == "appeal_under_review"
    assert (await server.change_dispute(lost["id"], status="won"))["status"] == "won"


async def test_disputes_are_found_by_charge_payment_and_time(
    client: stripe.StripeClient, server: LocalStripe, clock: Clock
) -> None:
    one, other = await paid(client, server), await paid(client, server)
    start = server.now()
    first = (await server.dispute(one, amount=400))["id"]
    clock.now += 10
    second = (await server.dispute(other))["id"]

    async def found(**params: Any) -> list[str]:
        return [item.id for item in (await client.v1.disputes.list_async(params)).data]  # type: ignore[arg-type]

    assert await found() == [second, first]
    assert await found(charge=server.find(one)["latest_charge"]) == [first]
    assert await found(payment_intent=other) == [second]
    assert await found(created={"gt": start}) == [second]
    assert (await client.v1.disputes.retrieve_async(first)).amount == 400
