"""The local Stripe with the one endpoint more that the obvious bot asks for: `python -m benchmarks.stripe_server`."""

import sys
from typing import Any

from stripe import params

from sandbox.stripe.__main__ import main
from sandbox.stripe.act import Act
from sandbox.stripe.api import endpoints
from sandbox.stripe.objects import shapes


def create_price(act: Act, _: str, given: dict[str, Any]) -> dict[str, Any]:
    """A price with a product of its own (/api/prices/create)."""
    live, details = act.world.livemode, given["product_data"]
    product = shapes.product(name=details["name"], data=details, created=act.created, livemode=live)
    act.record("product.created", act.world.add(product))
    price = shapes.price(
        product_id=product["id"],
        currency=given["currency"],
        unit_amount=given["unit_amount"],
        created=act.created,
        livemode=live,
    )
    act.record("price.created", act.world.add(price))
    return price


if __name__ == "__main__":
    endpoints.ENDPOINTS.append(
        endpoints.Endpoint("POST", "/v1/prices", params.PriceCreateParams, "rak_plan_write", create_price)
    )
    sys.exit(main())
