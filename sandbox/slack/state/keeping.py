"""A local Slack's world as JSON, so that a demo may be put away and taken up again."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any

from sandbox.slack.state.app import InstalledApp
from sandbox.slack.state.model import Channel, File, Group, Json, Message, Person, View
from sandbox.slack.state.team import Team

SECRETS = ("app_id", "app_token", "signing_secret", "verification_token", "client_id", "client_secret")
IDENTITY = ("team_id", "name", "bot_user_id", "bot_id", "tokens", "refresh_token", "scopes")


def snapshot(app: InstalledApp, teams: dict[str, Team]) -> Json:
    return {
        **{name: getattr(app, name) for name in SECRETS},
        "teams": [_team(team) for team in teams.values()],
    }


def _team(team: Team) -> Json:
    return {
        **{name: getattr(team, name) for name in IDENTITY},
        "people": [asdict(person) for person in team.people.values()],
        "groups": [asdict(group) for group in team.groups.values()],
        "channels": [{**asdict(each), "members": sorted(each.members)} for each in team.channels.values()],
        "messages": [asdict(message) for listed in team.messages.values() for message in listed],
        "homes": [asdict(view) for view in team.homes.values()],
        "files": [
            {**asdict(each), "content": base64.b64encode(each.content or b"").decode()}
            for each in team.files.values()
            if each.completed
        ],
    }


def restore_app(app: InstalledApp, kept: Json) -> list[tuple[str, str]]:
    """Takes over the secrets and returns the (team_id, name) of every workspace in the snapshot."""
    for name in SECRETS:
        setattr(app, name, kept.get(name, getattr(app, name)))
    return [(each["team_id"], each["name"]) for each in kept["teams"]]


def restore_teams(teams: dict[str, Team], kept: Json) -> None:
    for each in kept["teams"]:
        _restore(teams[each["team_id"]], each)


def _restore(team: Team, kept: Json) -> None:
    # Before there were installations, a workspace had one token.
    kept = {
        "tokens": {kept.get("bot_token", ""): None},
        "refresh_token": "",
        "scopes": [],
        "groups": [],
        **kept,
    }
    for name in IDENTITY:
        setattr(team, name, kept[name])
    if team.tokens:
        # Whoever takes up a demo with a newer manifest has installed it again.
        team.scopes = list(dict.fromkeys([*team.scopes, *team.app.manifest.bot_scopes]))
    team.groups = _by_id(Group(**each) for each in kept["groups"])
    team.people = _by_id(Person(**each) for each in kept["people"])
    team.channels = _by_id(Channel(**{**each, "members": set(each["members"])}) for each in kept["channels"])
    team.homes = {each["user"]: View(**each) for each in kept["homes"]}
    team.files = _by_id(
        File(**{**each, "content": base64.b64decode(each["content"])}) for each in kept["files"]
    )
    team.messages = {}
    for each in kept["messages"]:
        team.messages.setdefault(each["channel"], []).append(Message(**each))


def _by_id(records: Any) -> dict[str, Any]:
    return {record.id: record for record in records}
