"""Online payment links: promised, created, adopted; one at a time or a hundred."""
