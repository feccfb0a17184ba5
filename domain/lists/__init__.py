"""The list that a person has open, and what is ticked in it. The SQL of its pages and their order: domain/invoices/list_page.py."""
