"""Organisations: workspaces that Paylink is set up for."""
