"""Which Stripe account an organisation's links belong to: candidates for a key's, opening one, and moving links into it."""
