"""A Stripe on this machine: the part of Stripe's API that Paylink uses, its buyer's page, its events and webhooks.

It is what `paylink demo` runs on and what the tests measure against, so it refuses what Stripe refuses, in
Stripe's own words where they are public. Each rule names its source; "undocumented" marks our reading.
The pages of docs.stripe.com are quoted by their path (`/api/idempotent_requests`), the official SDK's types by their
class (`stripe.params.PaymentLinkCreateParams`).
"""
