"""Invoice numbers: what they are one by, and those that look the same and were kept apart."""
