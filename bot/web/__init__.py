"""How requests come in: HTTP, Socket Mode, and the guard before both."""
