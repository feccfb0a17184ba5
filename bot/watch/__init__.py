"""How it goes: logs, metrics, health."""
