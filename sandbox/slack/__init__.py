"""The local Slack: part of `paylink demo` and the strict instrument of the tests. It knows nothing of Paylink."""

from sandbox.slack.blocks.mentions import live, pings
from sandbox.slack.blocks.surfaces import check_home, check_message, check_view
from sandbox.slack.server import LocalSlack
from sandbox.slack.state.faults import Fault
from sandbox.slack.state.manifest import for_http
from sandbox.slack.state.model import Call, Happening, Message, Outcome, View
from sandbox.slack.state.settings import Limits
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
