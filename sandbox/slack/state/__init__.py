"""What the workspace consists of: people, channels, messages, views, and the installed app."""
