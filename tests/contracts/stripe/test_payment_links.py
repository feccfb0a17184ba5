"""Payment links: one request makes one, with inline prices; what is refused and how."""

from __future__ import annotations

import pytest
import stripe

from sandbox.stripe.objects.payments import LinkInactive
from sandbox.stripe.server import LocalStripe
from tests.contracts.stripe.fixtures import (  # noqa: F401
    client_fixture,
    clock_fixture,
    error_of,
    http_fixture,
    link_params,
    refusal,
    server_fixture,
)
from tests.contracts.stripe.test_refused_links import one_item


async def test_one_request_makes_a_link_with_its_price_and_product(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    link = await client.v1.payment_links.create_async(link_params())
    assert len(server.requests) == 1
    assert link.id.startswith("plink_")
    assert link.url.startswith(f"{server.public_url}/pay/test_")
    assert (link.active, link.livemode, link.currency) == (True, False, "usd")
    assert link.payment_method_types == ["card"]
    assert link.restrictions is not None
    assert link.restrictions.completed_sessions.to_dict() == {"count": 0, "limit": 1}
    assert link.metadata.to_dict() == {"invoice_number": "INV-1001"}
    assert link.payment_intent_data is not None
    assert link.payment_intent_data.metadata.to_dict() == {"invoice_number": "INV-1001"}
    lines = await client.v1.payment_links.line_items.list_async(link.id)
    (line,) = lines.data
    assert (line.amount_total, line.currency, line.quantity, line.description) == (
        120_050,
        "usd",
        1,
        "Invoice INV-1001",
    )
    assert [len(server.objects(kind)) for kind in ("product", "price")] == [1, 1]


@pytest.mark.parametrize(
    "resource",
    [
        stripe.PaymentLink,
        stripe.checkout.Session,
        stripe.PaymentIntent,
        stripe.Charge,
        stripe.Refund,
        stripe.Dispute,
        stripe.Event,
        stripe.Product,
        stripe.Price,
    ],
)
async def test_every_key_of_the_sdks_type_is_there(
    client: stripe.StripeClient, server: LocalStripe, resource: type[stripe.StripeObject]
) -> None:
    link = await client.v1.payment_links.create_async(link_params())
    session = await server.pay(link.id)
    await server.refund(session["id"], amount=50)
    await server.dispute(session["id"])
    kind = str(vars(resource)["OBJECT_NAME"])
    only_when_expanded = {"line_items", "refunds", "deleted", "currency_options", "tiers", "OBJECT_NAME"}
    only_for_some = {
        "description",
        "failure_reason",
        "instructions_email",
        "next_action",
        "level3",
        "transfer",
    }
    only_for_some |= {"account", "context"}
    missing = (
        set(resource.__annotations__) - set(server.objects(kind)[0]) - only_when_expanded - only_for_some
    )
    assert not missing


async def test_links_come_newest_first_and_page_both_ways(client: stripe.StripeClient) -> None:
    ids = [(await client.v1.payment_links.create_async(link_params(f"INV-{n}"))).id for n in range(5)]
    first = await client.v1.payment_links.list_async({"limit": 2})
    assert [link.id for link in first.data] == [ids[4], ids[3]]
    assert first.has_more
    second = await client.v1.payment_links.list_async({"limit": 3, "starting_after": first.data[-1].id})
    assert [link.id for link in second.data] == [ids[2], ids[1], ids[0]]
    assert not second.has_more
    back = await client.v1.payment_links.list_async({"limit": 2, "ending_before": ids[1]})
    assert [link.id for link in back.data] == [ids[3], ids[2]]
    assert back.has_more
    everything = [link.id async for link in first.auto_paging_iter()]
    assert everything == ids[::-1]


async def test_an_update_deactivates_and_merges_metadata(client: stripe.StripeClient) -> None:
    link = await client.v1.payment_links.create_async(link_params(metadata={"a": "1", "b": "2"}))
    changed = await client.v1.payment_links.update_async(
        link.id, {"active": False, "metadata": {"a": "", "c": "3"}}
    )
    assert not changed.active
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    listed = await client.v1.payment_links.list_async({"active": True})
    assert listed.data == []


async def test_a_link_has_no_delete(client: stripe.StripeClient) -> None:
    link = await client.v1.payment_links.create_async(link_params())
    error = await refusal(lambda: client.raw_request_async("delete", f"/v1/payment_links/{link.id}"))
    assert error.http_status == 404
    assert error_of(error)["message"].startswith(
        f"Unrecognized request URL (DELETE: /v1/payment_links/{link.id})."
    )


async def test_archiving_the_product_deactivates_its_link(client: stripe.StripeClient) -> None:
    link = await client.v1.payment_links.create_async(link_params())
    lines = await client.v1.payment_links.line_items.list_async(link.id)
    price = lines.data[0].price
    assert price is not None
    await client.v1.products.update_async(str(price.product), {"active": False})
    assert not (await client.v1.payment_links.retrieve_async(link.id)).active


async def test_a_link_of_an_existing_price(client: stripe.StripeClient, server: LocalStripe) -> None:
    await client.v1.payment_links.create_async(link_params())
    price = server.objects("price")[0]["id"]
    again = await client.v1.payment_links.create_async(
        link_params(line_items=[{"price": price, "quantity": 2}], expand=["line_items"])
    )
    assert again.line_items is not None
    assert again.line_items.data[0].amount_total == 240_100


async def test_hostile_text_comes_back_unchanged(client: stripe.StripeClient) -> None:
    name = "=1+1 <b>&amp; \u202e <!channel> 😀 \"'[x]=y&z"
    link = await client.v1.payment_links.create_async(
        link_params(
            metadata={"buyer": name}, line_items=one_item(product_data={"name": name}), expand=["line_items"]
        )
    )
    assert link.metadata.to_dict() == {"buyer": name}
    assert link.line_items is not None
    assert link.line_items.data[0].description == name


async def test_a_link_is_switched_off_and_on_in_the_dashboard(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    link = await client.v1.payment_links.create_async(link_params())
    opened = await server.open_session(link.id)
    await server.deactivate(link.url)
    assert not (await client.v1.payment_links.retrieve_async(link.id)).active
    with pytest.raises(LinkInactive, match="This invoice was paid"):
        await server.open_session(link.id)
    assert [item.id for item in (await client.v1.payment_links.list_async({"active": False})).data] == [
        link.id
    ]
    await server.deactivate(link.id)
    await server.reactivate(link.id)
    assert (await client.v1.payment_links.retrieve_async(link.id)).active
    events = (await client.v1.events.list_async({"type": "payment_link.updated"})).data
    assert [event.data.object["active"] for event in events] == [True, False]
    assert (await server.pay(opened["id"]))["status"] == "complete"
    await server.reactivate(link.id)
    with pytest.raises(LinkInactive):
        await server.open_session(link.id)


async def test_a_link_is_copied_by_hand_with_another_price(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    link = await client.v1.payment_links.create_async(link_params(amount=1000))
    copied = await server.copy_link(link.id, amount=700)
    copy = await client.v1.payment_links.retrieve_async(copied["id"], {"expand": ["line_items"]})
    assert (copy.id != link.id, copy.metadata) == (True, link.metadata)
    assert copy.payment_intent_data is not None
    assert copy.payment_intent_data.metadata.to_dict() == {"invoice_number": "INV-1001"}
    assert copy.line_items is not None
    assert copy.line_items.data[0].amount_total == 700
    assert (await server.pay(copy.url))["metadata"] == {"invoice_number": "INV-1001"}
    other = await server.copy_link(link.id, currency="eur", metadata={"invoice_number": "INV-9"})
    assert (other["currency"], other["metadata"]) == ("eur", {"invoice_number": "INV-9"})
    events = await client.v1.events.list_async({"type": "payment_link.created"})
    assert [event.data.object["id"] for event in events.data] == [other["id"], copy.id, link.id]
    assert (await client.v1.payment_links.retrieve_async(link.id)).active


async def test_a_link_that_was_completed_twice_says_so(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    link = await client.v1.payment_links.create_async(link_params())
    for session in [await server.open_session(link.id) for _ in range(2)]:
        await server.pay(session["id"])
    found = await client.v1.payment_links.retrieve_async(link.id)
    assert found.restrictions is not None
    assert found.restrictions.completed_sessions.to_dict() == {"count": 2, "limit": 1}
    listed = await client.v1.checkout.sessions.list_async({"payment_link": link.id, "status": "complete"})
    assert len(listed.data) == 2
