"""Which of the two databases a test runs on."""

import pytest

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what never depends on the database: how a request is read, what is refused before it is asked, what is shown.

Everything else that uses ``database_url`` runs on both.
"""
