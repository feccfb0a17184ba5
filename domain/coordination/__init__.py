"""What several processes share: turns, intervals, leases, and what the dead left behind."""
