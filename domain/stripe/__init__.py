"""Stripe itself: its client, its errors, the pace, and whose account it is."""
