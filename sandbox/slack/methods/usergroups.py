"""usergroups.* (Slack docs: reference/methods/usergroups.list, usergroups.users.list)."""

from __future__ import annotations

from sandbox.slack.methods.request import Method, Request
from sandbox.slack.state.errors import SlackError
from sandbox.slack.state.model import Group, Json

READ = ("usergroups:read",)


def listing(request: Request) -> Json:
    """An organisation's token must say which workspace is meant; a workspace's is its own."""
    if request.team.org_wide and not request.args.get("team_id"):
        raise SlackError("missing_argument")
    disabled = request.flag("include_disabled")
    found = [group for group in request.team.groups.values() if disabled or not group.disabled]
    return {"usergroups": [_shown(request, group) for group in found]}


def _shown(request: Request, group: Group) -> Json:
    shown: Json = {
        "id": group.id,
        "team_id": request.team.team_id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "is_external": False,
        "date_delete": int(group.disabled),
    }
    if request.flag("include_users"):
        shown["users"] = list(group.users)
    if request.flag("include_count"):
        shown["user_count"] = len(group.users)
    return shown


def users(request: Request) -> Json:
    group = request.team.groups.get(request.text("usergroup"))
    if group is None or (group.disabled and not request.flag("include_disabled")):
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


METHODS = {
    "usergroups.list": Method(listing, READ),
    "usergroups.users.list": Method(users, READ),
}
