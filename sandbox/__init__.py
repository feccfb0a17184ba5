"""A local Slack, a local Stripe and the demo between them; none of it runs beside a real workspace."""
