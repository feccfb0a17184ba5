"""Views as they come and go: stacks of at most three, hashes, external ids, sticky state (Slack docs: surfaces/modals)."""

from __future__ import annotations

from typing import Any

from sandbox.slack.blocks.checks import Problems
from sandbox.slack.blocks.inputs import state_of
from sandbox.slack.blocks.surfaces import VIEW_BYTES, check_view, interactive, weight
from sandbox.slack.state.errors import SlackError, invalid_arguments
from sandbox.slack.state.model import Json, View
from sandbox.slack.state.team import Team

STACK = 3


def filled(value: Any) -> Any:
    """A copy in which texts carry the flags that Slack gives them: `emoji` true, `verbatim` false.

    So an option that comes back as selected needn't equal the one that the app wrote.
    """
    if isinstance(value, list):
        return [filled(each) for each in value]
    if not isinstance(value, dict):
        return value
    defaults = {"plain_text": {"emoji": True}, "mrkdwn": {"verbatim": False}}.get(str(value.get("type")), {})
    return {**defaults, **{name: filled(each) for name, each in value.items()}}


def with_ids(team: Team, blocks: list[Json]) -> list[Json]:
    """A copy of valid blocks as Slack keeps them, missing block and action ids filled in."""
    blocks = filled(blocks)
    for block in blocks:
        block.setdefault("block_id", team.app.identifier("")[:5])
    for _, element in interactive(blocks):
        element.setdefault("action_id", team.app.identifier("")[:5])
    return blocks


def validated(team: Team, payload: object, kind: str, *, replacing: View | None = None) -> Json:
    """The view as Slack would keep it; raises SlackError view_too_large, invalid_arguments, duplicate_external_id."""
    if not isinstance(payload, dict):
        raise invalid_arguments("[ERROR] must provide an object [json-pointer:/view]")
    if weight(payload) > VIEW_BYTES:
        raise SlackError("view_too_large")
    found = check_view(payload)
    if not found and payload["type"] != kind:
        problems = Problems(kind)
        problems.add(f"unsupported type: {payload['type']}", "/view/type")
        found = problems.found
    if not found and "files:read" not in team.scopes:
        found = _file_inputs(payload)
    if found:
        raise invalid_arguments(*found)
    twin = (
        team.find_view(external_id=payload.get("external_id") or None) if payload.get("external_id") else None
    )
    if twin is not None and twin is not replacing:
        raise SlackError("duplicate_external_id")
    return {**filled(payload), "blocks": with_ids(team, payload["blocks"])}


def _file_inputs(payload: Json) -> list[str]:
    """An app without files:read may have none (reference/block-kit/block-elements/file-input-element); in which words Slack
    refuses them isn't documented."""
    problems = Problems("modal")
    for number, block in enumerate(payload["blocks"]):
        if block["type"] == "input" and block["element"]["type"] == "file_input":
            problems.add("file_input requires the files:read scope", f"/view/blocks/{number}/element/type")
    return problems.found


def new_hash(team: Team) -> str:
    return f"{int(team.app.clock())}.{team.app.random.randrange(16**8):08x}"


def _view(
    team: Team, user: str, payload: Json, *, root: str | None = None, previous: str | None = None
) -> View:
    view_id = team.app.identifier("V")
    return View(
        view_id,
        team.team_id,
        team.app.app_id,
        team.bot_id,
        user,
        payload,
        new_hash(team),
        root or view_id,
        previous,
        state_of(payload["blocks"]),
    )


def open_view(team: Team, user: str, payload: Json) -> View:
    """Opens a new stack; a modal of this app that was open gives way to it."""
    for view in reversed(team.stacks.pop(user, [])):
        team.publish("view_closed", view.as_json(), user=user)
    view = _view(team, user, payload)
    team.stacks[user] = [view]
    team.publish("view_opened", view.as_json(), user=user)
    return view


def push_view(team: Team, user: str, payload: Json) -> View:
    """Puts a view on top of the person's stack; raises push_limit_reached, or invalid_trigger_id if nothing is open."""
    stack = team.stacks.get(user, [])
    if not stack:
        raise SlackError("invalid_trigger_id")
    if len(stack) >= STACK:
        raise SlackError("push_limit_reached")
    view = _view(team, user, payload, root=stack[0].root_view_id, previous=stack[-1].id)
    stack.append(view)
    team.publish("view_pushed", view.as_json(), user=user)
    return view


def update_view(team: Team, view: View, payload: Json) -> None:
    """Replaces what a view shows; input state stays where (block_id, action_id) stays."""
    view.payload = payload
    view.values = state_of(payload["blocks"], view.values)
    view.shown_errors = {}
    view.hash = new_hash(team)
    kind = "home_published" if view.kind == "home" else "view_updated"
    team.publish(kind, view.as_json(), user=view.user)


def publish_home(team: Team, user: str, payload: Json) -> View:
    home = team.homes.get(user)
    if home is not None:
        update_view(team, home, payload)
        return home
    home = _view(team, user, payload)
    team.homes[user] = home
    team.publish("home_published", home.as_json(), user=user)
    return home


def close_view(team: Team, view: View) -> None:
    """Takes one view off its stack, wherever it stands."""
    stack = team.stacks.get(view.user, [])
    if view in stack:
        stack.remove(view)
        if not stack:
            del team.stacks[view.user]
        team.publish("view_closed", view.as_json(), user=view.user)
