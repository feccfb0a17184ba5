"""What happened, as events, and its way to webhook endpoints."""
