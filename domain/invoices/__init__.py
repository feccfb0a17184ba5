"""Billing invoices: which are eligible, where each stands in the list, and how they are found."""
