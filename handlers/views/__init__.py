"""Views and messages: pure functions from values to Block Kit. Nothing here knows Slack's network or the desk."""
