"""Refusals, as the Web API and as people get them."""

from __future__ import annotations

from typing import Any


class SlackError(Exception):
    """The Web API answers {"ok": false, "error": code} with `extra` beside it."""

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra


def invalid_arguments(*messages: str) -> SlackError:
    """Slack docs: methods/views.open; the messages say where and why."""
    return SlackError("invalid_arguments", response_metadata={"messages": list(messages)})


TROUBLE = "We had some trouble connecting. Try again?"
"""What a modal says when its submission wasn't acknowledged or was answered with nonsense."""


def sentence(what: str, code: str) -> str:
    """What a person reads when the app didn't take what they did; `what` is a command or "modal", "shortcut", ..."""
    if what.startswith("/"):
        if code == "operation_timeout":
            return f"{what} failed because the app did not respond."
        return f'{what} failed with the error "{code}"'
    if code == "not_interactive":
        return "This app is not configured to handle interactive responses."
    if what == "modal":
        return TROUBLE
    return "This app is not responding. Try again in a moment."
