"""What people see in a browser at the local Stripe."""
