"""Amounts and days as they are written, and what a file says of how it writes them."""
