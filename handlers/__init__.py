"""What people see and do in Slack, and the words for it."""
