"""The local Slack: part of `paylink demo` and the strict instrument of the tests. It knows nothing of Paylink."""

from bot.local.slack.faults import Fault
from bot.local.slack.manifest import for_http
from bot.local.slack.mentions import live, pings
from bot.local.slack.model import Call, Happening, Message, Outcome, View
from bot.local.slack.server import LocalSlack
from bot.local.slack.settings import Limits
from bot.local.slack.surfaces import check_home, check_message, check_view
from bot.local.slack.workspace import Workspace

__all__ = [
    "Call",
    "Fault",
    "Happening",
    "Limits",
    "LocalSlack",
    "Message",
    "Outcome",
    "View",
    "Workspace",
    "check_home",
    "check_message",
    "check_view",
    "for_http",
    "live",
    "pings",
]
