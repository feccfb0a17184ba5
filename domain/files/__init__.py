"""Invoices in from files, and out into files."""
