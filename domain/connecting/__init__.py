"""Connecting an organisation to its Stripe account: what a key may do, and the webhook endpoint that Paylink makes with it."""
