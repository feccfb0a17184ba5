"""The feed of what happened, for programs that would follow it."""
