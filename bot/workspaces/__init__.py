"""The Slack workspaces that this process serves, each with its own token: one that is configured, or all that installed the app."""
