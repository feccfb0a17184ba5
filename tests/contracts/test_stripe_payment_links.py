"""Payment links: one request makes one, with inline prices; what is refused and how."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from sandbox.stripe.objects.payments import LinkInactive
from sandbox.stripe.server import LocalStripe
from tests.contracts.stripe_fixtures import (  # noqa: F401
    client_fixture,
    clock_fixture,
    error_of,
    http_fixture,
    link_params,
    refusal,
    server_fixture,
)


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


def _price(**changes: Any) -> list[dict[str, Any]]:
    data = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Invoice"}} | changes
    return [{"quantity": 1, "price_data": {key: value for key, value in data.items() if value is not None}}]


AMOUNT = "line_items[0][price_data][unit_amount]"
NAME = "line_items[0][price_data][product_data][name]"


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"foo": "bar"}, "parameter_unknown", "foo"),
        ({"restrictions": {"completed_sessions": {"limit": 1, "most": 2}}}, "parameter_unknown", "restrictions[completed_sessions][most]"),
        ({"line_items": None}, "parameter_missing", "line_items"),
        ({"restrictions": {"completed_sessions": {"limit": "one"}}}, "parameter_invalid_integer", "restrictions[completed_sessions][limit]"),
        ({"restrictions": {"completed_sessions": {"limit": 0}}}, "parameter_invalid_integer", "restrictions[completed_sessions][limit]"),
        ({"submit_type": "bill"}, None, "submit_type"),
        ({"payment_method_types": ["card", "cheque"]}, None, "payment_method_types[1]"),
        ({"payment_method_types": ["card", "card"]}, None, "payment_method_types"),
        ({"payment_method_types": "card"}, None, "payment_method_types"),
        ({"allow_promotion_codes": "yes"}, None, "allow_promotion_codes"),
        ({"metadata": {"k" * 41: "v"}}, None, "metadata"),
        ({"metadata": {"k": "v" * 501}}, None, "metadata[k]"),
        ({"metadata": {f"k{n}": "v" for n in range(51)}}, None, "metadata"),
        ({"payment_intent_data": {"metadata": {"k": "v" * 501}}}, None, "payment_intent_data[metadata][k]"),
        ({"inactive_message": "x" * 501}, None, "inactive_message"),
        ({"line_items": _price(product_data={"name": ""})}, "parameter_invalid_empty", NAME),
        ({"line_items": _price(product_data={"name": "  "})}, "parameter_invalid_empty", NAME),
        ({"line_items": _price(product_data={"name": "x" * 251})}, None, NAME),
        ({"line_items": _price(product_data=None)}, None, "line_items[0][price_data]"),
        ({"line_items": _price(unit_amount="12.5")}, "parameter_invalid_integer", AMOUNT),
        ({"line_items": _price(unit_amount=-1)}, "parameter_invalid_integer", AMOUNT),
        ({"line_items": _price(unit_amount=10**12)}, "amount_too_large", AMOUNT),
        ({"line_items": _price(currency="xyz")}, None, "line_items[0][price_data][currency]"),
        ({"line_items": _price(currency="kwd", unit_amount=1501)}, "parameter_invalid_integer", AMOUNT),
        ({"line_items": _price(currency="isk", unit_amount=1250)}, "parameter_invalid_integer", AMOUNT),
        ({"line_items": _price(currency="ugx", unit_amount=1250)}, "parameter_invalid_integer", AMOUNT),
        ({"line_items": _price(unit_amount=49)}, "amount_too_small", None),
        ({"line_items": _price(currency="jpy", unit_amount=49)}, "amount_too_small", None),
        ({"line_items": [*_price(), *_price(currency="eur")]}, None, "line_items"),
        ({"line_items": [{"quantity": 0, "price_data": _price()[0]["price_data"]}]}, "parameter_invalid_integer", "line_items[0][quantity]"),
        ({"line_items": [{"quantity": 1, "price": "price_none"}]}, "resource_missing", "line_items[0][price]"),
        ({"transfer_data": {"destination": "acct_2"}}, None, "transfer_data"),
        ({"expand": ["nothing"]}, None, "expand"),
    ],
)  # fmt: skip
async def test_refused_parameters_name_themselves(
    client: stripe.StripeClient,
    server: LocalStripe,
    changes: dict[str, Any],
    code: str | None,
    param: str | None,
) -> None:
    params = {key: value for key, value in (link_params() | changes).items() if value is not None}
    error = await refusal(lambda: client.v1.payment_links.create_async(params))  # type: ignore[arg-type]
    assert isinstance(error, stripe.InvalidRequestError)
    body = error_of(error)
    assert (error.http_status, body["type"]) == (400, "invalid_request_error")
    assert (body.get("code"), body.get("param")) == (code, param)
    assert error.request_id is not None
    assert error.request_id in body["request_log_url"]
    assert code is None or body["doc_url"].endswith(code.replace("_", "-"))
    assert "expand" in changes or not server.links()


@pytest.mark.parametrize(
    ("amount", "currency"),
    [(99_999_999, "usd"), (10**12 - 1, "usd"), (10**12 - 1, "jpy"), (10**12 - 10, "kwd"), (50, "usd"), (50, "jpy"), (99_999_999, "jpy"), (1500, "kwd"), (1200, "isk"), (999_999_999_999, "idr"), (500, "USD")],
)  # fmt: skip
async def test_amounts_at_the_edge_are_taken(client: stripe.StripeClient, amount: int, currency: str) -> None:
    link = await client.v1.payment_links.create_async(link_params(amount=amount, currency=currency))
    assert link.currency == currency.lower()


@pytest.mark.parametrize("currency", ["bgn", "ANG", "std"])
async def test_a_currency_that_is_gone_is_refused_or_not_as_the_account_has_it(
    client: stripe.StripeClient, server: LocalStripe, currency: str
) -> None:
    params = link_params(currency=currency, amount=5000)
    error = await refusal(lambda: client.v1.payment_links.create_async(params))
    assert error_of(error)["param"] == "line_items[0][price_data][currency]"
    assert error_of(error)["message"].startswith(f"Invalid currency: {currency.lower()}.")
    server.rules.retired_currencies_refused = False
    assert (await client.v1.payment_links.create_async(params)).currency == currency.lower()


async def test_a_link_may_take_fewer_digits_than_a_card(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    server.rules.most_digits = 8
    assert (await client.v1.payment_links.create_async(link_params(amount=99_999_999))).active
    error = await refusal(lambda: client.v1.payment_links.create_async(link_params(amount=100_000_000)))
    assert error_of(error)["code"] == "amount_too_large"


async def test_inline_prices_need_the_version_that_brought_them(client: stripe.StripeClient) -> None:
    options: stripe.RequestOptions = {"stripe_version": "2025-06-30.basil"}
    error = await refusal(lambda: client.v1.payment_links.create_async(link_params(), options))
    assert error_of(error)["code"] == "parameter_unknown"


async def test_an_unknown_id_is_missing_and_an_id_of_the_other_mode_is_told_apart(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    error = await refusal(lambda: client.v1.payment_links.retrieve_async("plink_none"))
    assert (error.http_status, error_of(error)["code"]) == (404, "resource_missing")
    assert error_of(error)["message"] == "No such payment_link: 'plink_none'"
    link = await client.v1.payment_links.create_async(link_params())
    live = server.add_key("sk_live_0123456789abcdef")
    error = await refusal(
        lambda: client.v1.payment_links.retrieve_async(link.id, options={"api_key": live.secret})
    )
    assert error_of(error)["message"].endswith(
        "a similar object exists in test mode, but a live mode key was used to make this request."
    )


async def test_unset_values_in_metadata_are_left_out(client: stripe.StripeClient) -> None:
    link = await client.v1.payment_links.create_async(link_params(metadata={"a": "1", "b": ""}))
    assert link.metadata.to_dict() == {"a": "1"}


async def test_hostile_text_comes_back_unchanged(client: stripe.StripeClient) -> None:
    name = "=1+1 <b>&amp; \u202e <!channel> 😀 \"'[x]=y&z"
    link = await client.v1.payment_links.create_async(
        link_params(
            metadata={"buyer": name}, line_items=_price(product_data={"name": name}), expand=["line_items"]
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
