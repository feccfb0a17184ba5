"""The local Slack: part of `paylink demo` and the strict instrument of the tests. It knows nothing of Paylink."""

from sandbox.slack.faults import Fault
from sandbox.slack.manifest import for_http
from sandbox.slack.mentions import live, pings
from sandbox.slack.model import Call, Happening, Message, Outcome, View
from sandbox.slack.server import LocalSlack
from sandbox.slack.settings import Limits
from sandbox.slack.surfaces import check_home, check_message, check_view
from sandbox.slack.workspace import Workspace

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
