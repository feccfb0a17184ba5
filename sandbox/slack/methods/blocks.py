"""blocks.validate (Slack docs: reference/methods/blocks.validate)."""

from __future__ import annotations

import re

from sandbox.slack.blocks.surfaces import check_message, check_view
from sandbox.slack.methods.request import Method, Request
from sandbox.slack.state.errors import SlackError, invalid_arguments
from sandbox.slack.state.model import Json

_SAID = re.compile(r"\[ERROR\] (.*) \[json-pointer:(.*)\]")


def validate(request: Request) -> Json:
    """What is wrong with blocks, a message or a view, of which exactly one is given: nothing is shown to anybody."""
    given = [name for name in ("blocks", "view", "message") if request.args.get(name)]
    if len(given) != 1:
        raise invalid_arguments("must provide exactly one of `blocks`, `view`, or `message`")
    [name] = given
    value = request.structure(name)
    if name == "view":
        found = check_view(value)
    else:
        # A message's text is the poster's matter: it isn't asked for here.
        message = {"blocks": value} if name == "blocks" else value
        found = check_message({"text": " ", **message} if isinstance(message, dict) else message)
    if found:
        raise SlackError(f"invalid_{name}", errors=[_error(one, name) for one in found])
    return {}


def _error(said: str, name: str) -> Json:
    told = _SAID.fullmatch(said)
    message, pointer = told.groups() if told else (said, "")
    return {
        "code": "failed_constraint",
        "message": message,
        "pointer": pointer.removeprefix("/blocks" if name == "blocks" else f"/{name}"),
    }


METHODS = {"blocks.validate": Method(validate)}
"""No scope is needed."""
