"""Refunds and disputes of a payment: read, compared with Stripe, recorded, and what was told of them."""
