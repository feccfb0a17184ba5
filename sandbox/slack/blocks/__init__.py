"""Block Kit: what Slack takes of blocks, views and messages, and what people put into them."""
