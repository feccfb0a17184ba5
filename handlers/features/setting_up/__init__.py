"""Setting Paylink up in Slack: the steps, the Stripe key, the organisation's settings, and whoever installed it."""
