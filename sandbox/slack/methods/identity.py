"""auth.test, auth.teams.list, users.info (Slack docs: reference/methods)."""

from __future__ import annotations

from sandbox.slack.methods.request import Method, Request
from sandbox.slack.state.errors import SlackError
from sandbox.slack.state.model import Json


def auth_test(request: Request) -> Json:
    """Of an org-wide installation the organisation stands in the workspace's place (Slack docs: reference/methods/auth.test)."""
    team = request.team
    enterprise = {"enterprise_id": team.enterprise_id} if team.enterprise_id else {}
    return {
        **enterprise,
        "url": f"https://{team.domain}.slack.com/",
        "team": team.name,
        "user": team.people[team.bot_user_id].name,
        "team_id": team.enterprise_id if team.org_wide else team.team_id,
        "user_id": team.bot_user_id,
        "bot_id": team.bot_id,
        "is_enterprise_install": team.org_wide,
        **_expiry(request),
    }


def teams_list(request: Request) -> Json:
    """The workspaces that an organisation's token is for (Slack docs: reference/methods/auth.teams.list)."""
    limit, cursor = (
        request.number("limit", 100),
        request.number("cursor", 0) if request.args.get("cursor") else 0,
    )
    page = request.granted[cursor : cursor + limit]
    more = cursor + limit < len(request.granted)
    return {
        "teams": [{"id": team.team_id, "name": team.name} for team in page],
        "response_metadata": {"next_cursor": str(cursor + limit) if more else ""},
    }


def _expiry(request: Request) -> Json:
    ends = request.team.tokens.get(request.token)
    return {} if ends is None else {"expires_in": max(0, int(ends - request.team.app.clock()))}


def users_info(request: Request) -> Json:
    """Who somebody is (Slack docs: reference/methods/users.info, reference/objects/user-object): owners are administrators, too,
    and of somebody who was deactivated nothing of the kind is told."""
    person = request.team.people.get(request.text("user"))
    if person is None:
        raise SlackError("user_not_found")
    user: Json = {
        "id": person.id,
        "team_id": person.team_id or request.team.team_id,
        "name": person.name,
        "real_name": person.real_name,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "deleted": person.deleted,
        "profile": {"real_name": person.real_name, "display_name": person.name},
    }
    if not person.deleted:
        owner = person.is_owner or person.is_primary_owner
        user |= {
            "is_admin": person.is_admin or owner,
            "is_owner": owner,
            "is_primary_owner": person.is_primary_owner,
            "is_restricted": bool(person.guest),
            "is_ultra_restricted": person.guest == "single",
            "tz": person.tz,
        }
    enterprise_id = request.team.enterprise_id
    if enterprise_id and not person.is_stranger:
        # Slack docs: reference/objects/user-object#enterprise-grid-user-objects.
        user["enterprise_user"] = {
            "id": person.id,
            "enterprise_id": enterprise_id,
            "enterprise_name": enterprise_id,
            "teams": list(dict.fromkeys(filter(None, [person.team_id, request.team.team_id]))),
        }
    if person.is_stranger:
        user["is_stranger"] = True
    elif request.team.enterprise_id:
        own = [] if person.is_visitor else [request.team.team_id]
        teams = list(dict.fromkeys([user["team_id"], *own]))
        enterprise = request.team.enterprise_id
        user["enterprise_user"] = {"id": person.id, "enterprise_id": enterprise, "teams": teams}
    return {"user": user}


METHODS = {
    "auth.test": Method(auth_test),
    "auth.teams.list": Method(teams_list),
    "users.info": Method(users_info, ("users:read",)),
}
