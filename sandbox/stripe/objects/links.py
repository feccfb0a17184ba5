"""Payment links with inline prices: what Stripe checks when one is created or changed (/api/payment-link/create).

Inline `price_data` makes a product and a price of its own, so a link costs one request (/changelog, 2025-07-30.basil).
"""

from __future__ import annotations

import secrets
from typing import Any

from sandbox.stripe.act import Act
from sandbox.stripe.api.parameters import check_metadata, too_long
from sandbox.stripe.errors import invalid, refused
from sandbox.stripe.objects import money, shapes

Json = dict[str, Any]

NOT_MODELLED = (
    "application_fee_amount",
    "application_fee_percent",
    "managed_payments",
    "on_behalf_of",
    "optional_items",
    "shipping_address_collection",
    "shipping_options",
    "subscription_data",
    "transfer_data",
)
"""Parameters that Stripe takes and this Stripe can't honour: refused, for silence would be a lie."""

INLINE_PRICES_SINCE = "2025-07-30"
MOST_LINE_ITEMS = 20
MOST_NAME = 250
"""Of a product's name. Undocumented: the OpenAPI description says 5,000, the Dashboard stops at 250."""
MOST_MESSAGE = 500
"""inactive_message and custom_message: maxLength in Stripe's OpenAPI description."""


def create_link(act: Act, params: Json) -> Json:
    """stripe.params.PaymentLinkCreateParams, already checked for types."""
    _check_settings(params)
    items = params["line_items"]
    if not 1 <= len(items) <= MOST_LINE_ITEMS:
        raise invalid(f"line_items must have between 1 and {MOST_LINE_ITEMS} items", "line_items")
    for number, item in enumerate(items):
        if "price_data" in item and act.version < INLINE_PRICES_SINCE:
            name = f"line_items[{number}][price_data]"
            raise invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")
        _check_line_item(act, item, f"line_items[{number}]")
    lines = [_line(act, item, f"line_items[{number}]") for number, item in enumerate(items)]
    currency = _one_currency(lines, params.get("currency"))
    total = sum(line["amount_total"] for line in lines)
    money.check_unit_amount(total, currency, "line_items", digits=act.rules.most_digits)
    if act.rules.least_checked == "creation" and (refusal := money.too_small(total, currency)):
        raise refusal
    params = params | {"metadata": _kept(params.get("metadata"))}
    if (intent := params.get("payment_intent_data")) is not None:
        params["payment_intent_data"] = intent | {"metadata": _kept(intent.get("metadata"))}
    code = secrets.token_hex(9)
    link = shapes.payment_link(
        created_from=params,
        code_url=f"{act.public_url}/pay/{code if act.world.livemode else f'test_{code}'}",
        line_currency=currency,
        livemode=act.world.livemode,
    )
    _keep_prices(act, lines)
    act.world.add(link)
    act.world.line_items[link["id"]] = lines
    act.record("payment_link.created", link)
    return link


def update_link(act: Act, link_id: str, params: Json) -> Json:
    """stripe.params.PaymentLinkUpdateParams: prices and currency can't be changed, nor is there a way to delete."""
    link = act.get("payment_link", link_id, param="payment_link")
    _check_settings(params)
    if "line_items" in params:
        raise invalid("The local Stripe does not model changes of line_items.", "line_items")
    before = {key: link[key] for key in params if key in link}
    for key, value in params.items():
        if key == "metadata":
            link["metadata"] = merged_metadata(link["metadata"], value)
        elif key == "restrictions":
            done = (link["restrictions"] or {"completed_sessions": {"count": 0}})["completed_sessions"][
                "count"
            ]
            limit = None if value == "" else {"count": done, "limit": value["completed_sessions"]["limit"]}
            link["restrictions"] = None if limit is None else {"completed_sessions": limit}
        elif key == "payment_intent_data":
            known = link["payment_intent_data"] or {"metadata": {}}
            link[key] = (
                known | value | {"metadata": merged_metadata(known["metadata"], value.get("metadata", {}))}
            )
        elif key != "expand":
            link[key] = None if value == "" else value
    previous = {key: value for key, value in before.items() if link[key] != value}
    if previous:
        act.record("payment_link.updated", link, previous=previous)
    return link


def copy_link(
    act: Act, link_id: str, *, amount: int | None, currency: str | None, metadata: Json | None
) -> Json:
    """A new link with the settings of another."""
    link = act.get("payment_link", link_id, param="payment_link")
    lines = [
        {
            "quantity": line["quantity"],
            "price_data": {
                "currency": currency or line["currency"],
                "unit_amount": line["price"]["unit_amount"] if amount is None else amount,
                "product_data": {"name": line["description"]},
            },
        }
        for line in act.world.line_items[link_id]
    ]
    names = ("inactive_message", "payment_method_types", "submit_type")
    given: Json = {name: link[name] for name in names if link[name] is not None}
    given |= {"line_items": lines, "metadata": dict(link["metadata"] if metadata is None else metadata)}
    if link["payment_intent_data"] is not None:
        known = link["payment_intent_data"]["metadata"]
        given["payment_intent_data"] = {"metadata": dict(known if metadata is None else metadata)}
    if link["restrictions"] is not None:
        limit = link["restrictions"]["completed_sessions"]["limit"]
        given["restrictions"] = {"completed_sessions": {"limit": limit}}
    return create_link(act, given)


def update_product(act: Act, product_id: str, params: Json) -> Json:
    """Archiving a product deactivates the links that sell it (/payment-links/customize)."""
    product = act.get("product", product_id, param="id")
    if unknown := set(params) - {"active", "name", "description", "metadata", "expand"}:
        raise invalid(f"The local Stripe does not model changes of {min(unknown)}.", min(unknown))
    check_metadata(params.get("metadata") or {})
    before = dict(product)
    product.update({key: params[key] for key in ("active", "name", "description") if key in params})
    product["metadata"] = merged_metadata(product["metadata"], params.get("metadata", {}))
    product["updated"] = act.created
    act.record(
        "product.updated",
        product,
        previous={key: before[key] for key in before if before[key] != product[key]},
    )
    if not product["active"]:
        for link in act.world.shelves["payment_link"]:
            lines = act.world.line_items[link["id"]]
            if link["active"] and any(line["price"]["product"] == product_id for line in lines):
                link["active"] = False
                act.record("payment_link.updated", link, previous={"active": True})
    return product


def is_open(link: Json) -> bool:
    """Whether the link's page sells: active, and fewer sessions completed than its limit."""
    limit = (link["restrictions"] or {}).get("completed_sessions")
    return link["active"] and (limit is None or limit["count"] < limit["limit"])


def merged_metadata(known: Json, given: Json | str) -> Json:
    """/api/metadata: keys are added or replaced; an empty value removes a key, an empty string removes all."""
    if isinstance(given, str):
        return {}
    return _kept(known | given)


def _kept(metadata: Json | str | None) -> Json:
    return (
        {key: value for key, value in metadata.items() if value != ""} if isinstance(metadata, dict) else {}
    )


def _check_settings(params: Json) -> None:
    for name in NOT_MODELLED:
        if name in params:
            raise invalid(f"The local Stripe does not model {name}.", name)
    intent = params.get("payment_intent_data") or {}
    check_metadata(params.get("metadata") or {})
    check_metadata(intent.get("metadata") or {}, "payment_intent_data[metadata]")
    hosted = ((params.get("after_completion") or {}).get("hosted_confirmation")) or {}
    for value, most, path in (
        (params.get("inactive_message"), MOST_MESSAGE, "inactive_message"),
        (hosted.get("custom_message"), MOST_MESSAGE, "after_completion[hosted_confirmation][custom_message]"),
        (intent.get("description"), 1000, "payment_intent_data[description]"),
        (intent.get("statement_descriptor"), 22, "payment_intent_data[statement_descriptor]"),
        (intent.get("statement_descriptor_suffix"), 22, "payment_intent_data[statement_descriptor_suffix]"),
    ):
        if value and len(value) > most:
            raise too_long(value, most, path)
    methods = params.get("payment_method_types") or []
    if len(set(methods)) < len(methods):
        raise invalid("The list of payment_method_types must not contain duplicates.", "payment_method_types")
    limit = (params.get("restrictions") or {}).get("completed_sessions", {}).get("limit", 1)
    if limit < 1:
        raise invalid(
            "This value must be greater than or equal to 1.",
            "restrictions[completed_sessions][limit]",
            "parameter_invalid_integer",
        )


def _check_line_item(act: Act, item: Json, path: str) -> None:
    if not 1 <= item["quantity"] <= 999_999:
        raise invalid(
            "This value must be between 1 and 999999.", f"{path}[quantity]", "parameter_invalid_integer"
        )
    if ("price" in item) == ("price_data" in item):
        raise invalid("You must specify either `price` or `price_data`, and not both.", path)
    if "price" in item:
        return
    data, path = item["price_data"], f"{path}[price_data]"
    if ("product" in data) == ("product_data" in data):
        raise invalid("You must specify either `product` or `product_data`, and not both.", path)
    if ("unit_amount" in data) == ("unit_amount_decimal" in data):
        raise invalid("You must specify either `unit_amount` or `unit_amount_decimal`, and not both.", path)
    for name in ("recurring", "unit_amount_decimal"):
        if name in data:
            raise invalid(f"The local Stripe does not model {name}.", f"{path}[{name}]")
    data["currency"] = money.check_currency(
        data["currency"], f"{path}[currency]", retired=act.rules.retired_currencies_refused
    )
    money.check_unit_amount(
        data["unit_amount"], data["currency"], f"{path}[unit_amount]", digits=act.rules.most_digits
    )
    if (details := data.get("product_data")) is not None:
        if not details["name"].strip():
            raise invalid(
                "The product name can't be blank.", f"{path}[product_data][name]", "parameter_invalid_empty"
            )
        if len(details["name"]) > MOST_NAME:
            raise too_long(details["name"], MOST_NAME, f"{path}[product_data][name]")
        check_metadata(details.get("metadata") or {}, f"{path}[product_data][metadata]")


def _line(act: Act, item: Json, path: str) -> Json:
    """The line item, with a price that exists or one that `_keep_prices` will keep."""
    if "price" in item:
        price = act.get("price", item["price"], param=f"{path}[price]", status=400)
        product = act.get("product", price["product"], param=f"{path}[price]", status=400)
        if not (price["active"] and product["active"]):
            raise refused(
                "The price specified is inactive. This field only accepts active prices.", f"{path}[price]"
            )
        return shapes.line_item(price=price, description=product["name"], quantity=item["quantity"])
    data, live = item["price_data"], act.world.livemode
    if "product" in data:
        product = act.get("product", data["product"], param=f"{path}[price_data][product]", status=400)
        if not product["active"]:
            raise refused("The product specified is not active.", f"{path}[price_data][product]")
    else:
        details = data["product_data"]
        product = shapes.product(name=details["name"], data=details, created=act.created, livemode=live)
    price = shapes.price(
        product_id=product["id"],
        currency=data["currency"],
        unit_amount=data["unit_amount"],
        created=act.created,
        livemode=live,
    )
    line = shapes.line_item(price=price, description=product["name"], quantity=item["quantity"])
    return line | {"_new_product": product}


def _keep_prices(act: Act, lines: list[Json]) -> None:
    for line in lines:
        if (product := line.pop("_new_product", None)) is None:
            continue
        if act.world.find(product["id"]) is None:
            act.record("product.created", act.world.add(product))
        act.record("price.created", act.world.add(line["price"]))


def _one_currency(lines: list[Json], asked: str | None) -> str:
    currencies = {line["currency"] for line in lines}
    if len(currencies) > 1 or (asked is not None and {asked.lower()} != currencies):
        raise invalid("All line items must use the same currency.", "line_items")
    return str(currencies.pop())
