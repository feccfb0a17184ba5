"""What people do, what Slack makes of it for the app, and what becomes of the answer."""
