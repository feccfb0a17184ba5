"""Programs that work with an organisation's invoices: their tokens, what they bring in, and what they look at."""
