"""What a person can do through the page, each as one request of the browser and one call of the workspace."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from html import escape
from typing import Any

from sandbox.page.picture import Json, outcome_json
from sandbox.slack.interactions.acting import Surface
from sandbox.slack.state.model import Outcome
from sandbox.slack.workspace import Workspace


class BadRequest(ValueError):
    """The browser sent something else than the page's own scripts send."""


async def do(workspace: Workspace, user: str, request: Json) -> Json:
    """Carry out one request of a tab and return its answer.

    Raises BadRequest if it isn't one of the page's requests, LookupError if what it names is no longer there.
    """
    deed = _DEEDS.get(_text(request, "op"))
    if deed is None:
        raise BadRequest("unknown op")
    return outcome_json(await deed(workspace, user, request))


async def _say(workspace: Workspace, user: str, request: Json) -> Outcome:
    channel, text = _text(request, "channel"), _text(request, "text")
    thread = _text(request, "thread") if "thread" in request else None
    if text.startswith("/"):
        return await workspace.command(user, channel, text, thread_ts=thread)
    await workspace.say(user, channel, _written(workspace, text), thread_ts=thread)
    return Outcome(acked=True)


async def _edit(workspace: Workspace, user: str, request: Json) -> Outcome:
    written = _written(workspace, _text(request, "text"))
    workspace.edit(user, _text(request, "channel"), _text(request, "ts"), written)
    return Outcome(acked=True)


def _written(workspace: Workspace, text: str) -> str:
    """What Slack's clients make of what was typed: ``@Name`` of somebody who is there mentions them."""
    names = {f"@{name}".casefold(): one.id for one in workspace.people for name in (one.name, one.real_name)}
    longest_first = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    mention = re.compile(rf"(?<!\w)(?:{longest_first})(?!\w)", re.IGNORECASE)
    return mention.sub(lambda found: f"<@{names[found[0].casefold()]}>", escape(text, quote=False))


async def _shortcut(workspace: Workspace, user: str, request: Json) -> Outcome:
    return await workspace.global_shortcut(user, _text(request, "callback_id"))


async def _home(workspace: Workspace, user: str, request: Json) -> Outcome:
    return await workspace.open_home(user, tab="messages" if request.get("tab") == "messages" else "home")


async def _click(workspace: Workspace, user: str, request: Json) -> Outcome:
    return await workspace.click(user, *_element(request), _value(request))


async def _type(workspace: Workspace, user: str, request: Json) -> Outcome:
    view_id, block_id, action_id = (
        _text(request, "surface"),
        _text(request, "block_id"),
        _text(request, "action_id"),
    )
    enter = request.get("enter") is True
    return await workspace.type(user, view_id, block_id, action_id, _text(request, "value"), enter=enter)


async def _options(workspace: Workspace, user: str, request: Json) -> Outcome:
    return await workspace.options(user, *_element(request), _text(request, "query"))


async def _submit(workspace: Workspace, user: str, request: Json) -> Outcome:
    return await workspace.submit(user, _text(request, "view"))


async def _close(workspace: Workspace, user: str, request: Json) -> Outcome:
    return await workspace.close(user, _text(request, "view"), clear=request.get("all") is True)


_DEEDS: dict[str, Callable[[Workspace, str, Json], Awaitable[Outcome]]] = {
    "say": _say,
    "edit": _edit,
    "shortcut": _shortcut,
    "home": _home,
    "click": _click,
    "type": _type,
    "options": _options,
    "submit": _submit,
    "close": _close,
}


def _text(request: Json, name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise BadRequest(f"{name} isn't a text")
    return value


def _element(request: Json) -> tuple[Surface, str, str]:
    return _surface(request.get("surface")), _text(request, "block_id"), _text(request, "action_id")


def _surface(value: Any) -> Surface:
    match value:
        case str():
            return value
        case [str() as channel, str() as ts]:
            return channel, ts
    raise BadRequest("surface is neither a view nor a message")


def _value(request: Json) -> str | list[str] | None:
    match request.get("value"):
        case None | str() as one:
            return one
        case list() as several if all(isinstance(value, str) for value in several):
            return several
    raise BadRequest("value is neither a text nor a list of texts")
