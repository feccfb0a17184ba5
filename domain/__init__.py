"""Invoices, links and payments, and the tables that they stand in. It knows neither Slack nor the timer nor the environment."""
