"""The HTTP side of Stripe's API: keys, rates, idempotency, parameters, endpoints, lists."""
