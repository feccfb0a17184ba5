"""views.* (Slack docs: reference/methods/views.open, views.push, views.update, views.publish)."""

from __future__ import annotations

from sandbox.slack.interactions import showing
from sandbox.slack.methods.request import Method, Request
from sandbox.slack.state.errors import SlackError, invalid_arguments
from sandbox.slack.state.model import Json, View


def open_view(request: Request) -> Json:
    payload = showing.validated(request.team, request.structure("view"), "modal")
    trigger = request.team.redeem_trigger(request.text("trigger_id"))
    return opened(showing.open_view(request.team, trigger.user, payload))


def push(request: Request) -> Json:
    payload = showing.validated(request.team, request.structure("view"), "modal")
    trigger = request.team.redeem_trigger(request.text("trigger_id"))
    if not trigger.from_modal:
        raise SlackError("invalid_trigger_id")
    return opened(showing.push_view(request.team, trigger.user, payload))


def opened(view: View) -> Json:
    """A view as just opened: Slack answers it without the values that it starts with."""
    return {"view": {**view.as_json(), "state": {"values": {}}}}


def update(request: Request) -> Json:
    view_id, external_id = request.args.get("view_id"), request.args.get("external_id")
    if not view_id and not external_id:
        raise invalid_arguments("[ERROR] missing required field: view_id or external_id")
    view = request.team.find_view(view_id, external_id)
    kind = view.kind if view else "modal"
    payload = showing.validated(request.team, request.structure("view"), kind, replacing=view)
    if view is None:
        raise SlackError("not_found")
    refuse_stale(request, view)
    showing.update_view(request.team, view, payload)
    return {"view": view.as_json()}


def publish(request: Request) -> Json:
    team, user = request.team, request.text("user_id")
    if user not in team.people or team.people[user].is_bot:
        raise invalid_arguments("invalid `user_id`")
    if not team.app.manifest.home_enabled:
        raise SlackError("not_enabled")
    home = team.homes.get(user)
    payload = showing.validated(team, request.structure("view"), "home", replacing=home)
    if home is not None:
        refuse_stale(request, home)
    return {"view": showing.publish_home(team, user, payload).as_json()}


def refuse_stale(request: Request, view: View) -> None:
    given = request.args.get("hash")
    if given and given != view.hash:
        raise SlackError("hash_conflict")


METHODS = {
    "views.open": Method(open_view),
    "views.push": Method(push),
    "views.update": Method(update),
    "views.publish": Method(publish),
}
