"""What Stripe tells of payments: events, polls and sweeps, and what is recorded of them."""
