"""auth.test, users.info (Slack docs: reference/methods)."""

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
    }


def users_info(request: Request) -> Json:
    person = request.team.people.get(request.text("user"))
    if person is None:
        raise SlackError("user_not_found")
    return {
        "user": {
            "id": person.id,
            "team_id": request.team.team_id,
            "name": person.name,
            "real_name": person.real_name,
            "is_bot": person.is_bot,
            "is_admin": person.is_admin,
            "is_owner": False,
            "is_restricted": bool(person.guest),
            "is_ultra_restricted": person.guest == "single",
            "deleted": False,
            "profile": {"real_name": person.real_name, "display_name": person.name},
        }
    }


METHODS = {
    "auth.test": Method(auth_test),
    "users.info": Method(users_info, ("users:read",)),
}
