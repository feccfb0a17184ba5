"""Stripe's objects, and what can happen to each."""
