"""What several processes share: turns, duties, and what the dead left behind."""
