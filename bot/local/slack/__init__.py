"""The local Slack: part of `paylink demo` and the strict instrument of the tests. It knows nothing of Paylink."""

from bot.local.slack.model import Call, Happening, Message, Outcome, View
from bot.local.slack.server import LocalSlack
from bot.local.slack.settings import Limits
from bot.local.slack.workspace import Workspace

__all__ = ["Call", "Happening", "Limits", "LocalSlack", "Message", "Outcome", "View", "Workspace"]
