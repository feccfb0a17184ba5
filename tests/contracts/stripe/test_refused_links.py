"""Payment links: which parameters are refused, and how; which amounts and currencies are taken."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

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


def one_item(**changes: Any) -> list[dict[str, Any]]:
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
        ({"line_items": one_item(product_data={"name": ""})}, "parameter_invalid_empty", NAME),
        ({"line_items": one_item(product_data={"name": "  "})}, "parameter_invalid_empty", NAME),
        ({"line_items": one_item(product_data={"name": "x" * 251})}, None, NAME),
        ({"line_items": one_item(product_data=None)}, None, "line_items[0][price_data]"),
        ({"line_items": one_item(unit_amount="12.5")}, "parameter_invalid_integer", AMOUNT),
        ({"line_items": one_item(unit_amount=-1)}, "parameter_invalid_integer", AMOUNT),
        ({"line_items": one_item(unit_amount=10**12)}, "amount_too_large", AMOUNT),
        ({"line_items": one_item(currency="xyz")}, None, "line_items[0][price_data][currency]"),
        ({"line_items": one_item(currency="kwd", unit_amount=1501)}, "parameter_invalid_integer", AMOUNT),
        ({"line_items": one_item(currency="isk", unit_amount=1250)}, "parameter_invalid_integer", AMOUNT),
        ({"line_items": one_item(currency="ugx", unit_amount=1250)}, "parameter_invalid_integer", AMOUNT),
        ({"line_items": one_item(unit_amount=49)}, "amount_too_small", None),
        ({"line_items": one_item(currency="jpy", unit_amount=49)}, "amount_too_small", None),
        ({"line_items": [*one_item(), *one_item(currency="eur")]}, None, "line_items"),
        ({"line_items": [{"quantity": 0, "price_data": one_item()[0]["price_data"]}]}, "parameter_invalid_integer", "line_items[0][quantity]"),
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
