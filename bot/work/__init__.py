"""What the work runs on: workers, their timer, and what is under way."""
