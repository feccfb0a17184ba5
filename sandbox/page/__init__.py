"""The demo's page: a small Slack client in the browser for one local workspace."""

from sandbox.page.routes import page_routes

__all__ = ["page_routes"]
