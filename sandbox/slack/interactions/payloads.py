"""What Slack sends to apps (Slack docs: reference/interaction-payloads, reference/events, slash commands)."""

from __future__ import annotations

from sandbox.slack.blocks.inputs import STATEFUL, Values
from sandbox.slack.state.model import Channel, Json, Message, View
from sandbox.slack.state.team import Team


def _common(team: Team, user: str) -> Json:
    """Enterprise Grid: docs/facts/slack.md; `enterprise` and `team.enterprise_id` by Slack docs:
    reference/interaction-payloads/block_actions-payload."""
    person = team.people[user]
    where: Json = {"id": team.team_id, "domain": team.domain}
    if team.enterprise_id:
        where |= {"enterprise_id": team.enterprise_id, "enterprise_name": team.enterprise_id}
    return {
        "user": {
            "id": user,
            "username": person.name,
            "name": person.name,
            "team_id": person.team_id or team.team_id,
        },
        "api_app_id": team.app.app_id,
        "token": team.app.verification_token,
        "team": where,
        "enterprise": {"id": team.enterprise_id, "name": team.enterprise_id} if team.enterprise_id else None,
        "is_enterprise_install": team.org_wide,
    }


def slash_command(team: Team, user: str, channel: Channel, command: str, text: str) -> Json:
    return {
        "token": team.app.verification_token,
        "team_id": team.team_id,
        "team_domain": team.domain,
        **({"enterprise_id": team.enterprise_id} if team.enterprise_id else {}),
        "channel_id": channel.id,
        "channel_name": {"private": "privategroup", "im": "directmessage"}.get(channel.kind, channel.name),
        "user_id": user,
        "user_name": team.people[user].name,
        "command": command,
        "text": text,
        "api_app_id": team.app.app_id,
        "is_enterprise_install": "true" if team.org_wide else "false",
        "response_url": team.issue_response_url(user, channel.id, kind="commands"),
        "trigger_id": team.issue_trigger(user),
    }


def shortcut(team: Team, user: str, callback_id: str) -> Json:
    return {
        "type": "shortcut",
        **_common(team, user),
        "action_ts": team.next_ts(),
        "callback_id": callback_id,
        "trigger_id": team.issue_trigger(user),
    }


def action(element: Json, block_id: str, state: Json, ts: str) -> Json:
    """One entry of block_actions' `actions`."""
    sent: Json = {"type": element["type"], "action_id": element["action_id"], "block_id": block_id}
    if element["type"] == "button":
        sent |= {name: element[name] for name in ("text", "value", "style") if name in element}
    else:
        initial = STATEFUL[element["type"]][1] if element["type"] in STATEFUL else ""
        sent |= {name: element[name] for name in (initial, "placeholder") if name in element}
        sent |= {name: value for name, value in state.items() if name != "type"}
    return {**sent, "action_ts": ts}


def view_actions(team: Team, view: View, act: Json) -> Json:
    return {
        "type": "block_actions",
        **_common(team, view.user),
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": team.issue_trigger(view.user, from_modal=view.kind == "modal"),
        "view": view.as_json(),
        "actions": [act],
    }


def message_actions(team: Team, user: str, message: Message, values: Values, act: Json) -> Json:
    channel = team.channels[message.channel]
    ephemeral = message.ephemeral_to is not None
    payload = {
        "type": "block_actions",
        **_common(team, user),
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": ephemeral,
        },
        "trigger_id": team.issue_trigger(user),
        "channel": {"id": channel.id, "name": channel.name},
        "state": {"values": values},
        "response_url": team.issue_response_url(user, channel.id, kind="actions", message=message.place),
        "actions": [act],
    }
    return payload if ephemeral else {**payload, "message": message.as_json()}


def suggestion(team: Team, user: str, place: Json, element: Json, block_id: str, query: str) -> Json:
    """`place` holds the container and, in a view, the view."""
    return {
        "type": "block_suggestion",
        **_common(team, user),
        **place,
        "action_id": element["action_id"],
        "block_id": block_id,
        "value": query,
    }


def view_submission(team: Team, view: View) -> Json:
    return {
        "type": "view_submission",
        **_common(team, view.user),
        "trigger_id": team.issue_trigger(view.user, from_modal=True),
        "view": view.as_json(),
        "response_urls": [],
    }


def view_closed(team: Team, view: View, *, cleared: bool) -> Json:
    return {
        "type": "view_closed",
        **_common(team, view.user),
        "view": view.as_json(),
        "is_cleared": cleared,
    }


def event(team: Team, body: Json) -> Json:
    """The Events API's envelope around one event.

    What a stranger does carries `user_team` (docs/facts/slack.md).
    """
    ts = team.next_ts()
    person = team.people.get(str(body.get("user")))
    if person and person.is_stranger:
        body = {**body, "user_team": person.team_id}
    return {
        "token": team.app.verification_token,
        "team_id": team.team_id,
        **({"enterprise_id": team.enterprise_id} if team.enterprise_id else {}),
        "api_app_id": team.app.app_id,
        "event": {"event_ts": ts, **body},
        "type": "event_callback",
        "event_id": team.app.identifier("Ev"),
        "event_time": int(float(ts)),
        **({"authorizations": [_authorization(team)]} if team.installed else {}),
        "is_ext_shared_channel": bool(person and person.is_stranger and body["type"] != "app_home_opened"),
    }


def _authorization(team: Team) -> Json:
    return {
        "enterprise_id": team.enterprise_id,
        "team_id": team.team_id,
        "user_id": team.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": team.org_wide,
    }
