"""`paylink import`: the command, what it asks, and what it tells."""
