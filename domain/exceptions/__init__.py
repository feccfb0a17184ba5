"""What doesn't fit between Stripe, invoices and Slack: opened where it is seen, told, and resolved by people."""
