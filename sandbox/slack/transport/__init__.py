"""How the app and Slack reach each other: the Web API, Socket Mode and signed posts."""
