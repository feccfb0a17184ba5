"""Messages on their way out of the outbox into Slack, each once."""
