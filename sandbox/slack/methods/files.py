"""Uploads in three steps, and what is known of a file (Slack docs: methods/files.getUploadURLExternal,
files.completeUploadExternal, files.info)."""

from __future__ import annotations

import re

from sandbox.slack.methods.request import Method, Request
from sandbox.slack.state.errors import SlackError, invalid_arguments
from sandbox.slack.state.files import file_json
from sandbox.slack.state.model import Channel, File, Json

# Slack's own words for what channel_id may be: no person's id.
_CONVERSATION = re.compile("[CGDZ][A-Z0-9]{8,}")


def get_upload_url(request: Request) -> Json:
    name, length = request.text("filename"), request.number("length", 0)
    if not name or length < 1:
        raise invalid_arguments("[ERROR] must be greater than 0 [json-pointer:/length]")
    team = request.team
    file = File(team.app.identifier("F"), name, length, title=name)
    file.user, file.created = team.bot_user_id, int(team.app.clock())
    team.files[file.id] = file
    return {
        "upload_url": f"{request.team.app.base_url}/upload/v1/{request.team.team_id}/{file.id}",
        "file_id": file.id,
    }


def complete_upload(request: Request) -> Json:
    """Shares uploaded files. `channel_id` is a conversation's id; `channels` are
    ids of conversations or of people, whose direct messages with the app they go to."""
    team = request.team
    given = request.structure("files")
    if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in given):
        raise invalid_arguments("[ERROR] must provide an array [json-pointer:/files]")
    files = []
    for each in given:
        file = team.files.get(str(each.get("id")))
        if file is None or file.content is None or file.completed:
            raise SlackError("file_not_found")
        files.append(file)
    channels = _destinations(request)
    for each, file in zip(given, files, strict=True):
        file.completed = True
        file.title = each.get("title") or file.name
    comment = request.text("initial_comment", "")
    for channel in channels:
        for file in files:
            file.channels.append(channel.id)
        shown = [file_json(team, file) for file in files]
        team.post(
            team.app_message(channel.id, comment, [], files=shown, thread_ts=request.args.get("thread_ts"))
        )
        for file in files:
            data = {"id": file.id, "name": file.name, "title": file.title, "channel": channel.id}
            team.publish("file_shared", data, channel=channel.id)
    return {"files": [file_json(team, file) for file in files]}


def _destinations(request: Request) -> list[Channel]:
    team, found = request.team, []
    if request.args.get("channel_id"):
        if not _CONVERSATION.fullmatch(request.text("channel_id")):
            raise invalid_arguments(
                f"[ERROR] input must match regex pattern: ^{_CONVERSATION.pattern}$ [json-pointer:/channel_id]"
            )
        found.append(request.joined(request.channel("channel_id")))
    for named in filter(None, request.text("channels", "").split(",")):
        person = team.people.get(named)
        if person is not None and not person.is_bot:
            if not team.app.manifest.messages_enabled:
                raise SlackError("messages_tab_disabled")
            found.append(team.dm_with(named))
        elif named in team.channels:
            found.append(request.joined(team.channels[named]))
        else:
            raise SlackError("channel_not_found")
    if any(channel.archived for channel in found):
        raise SlackError("posting_to_channel_denied")
    return found


def info(request: Request) -> Json:
    """Of a file that the app put there, or that somebody put into one of its forms."""
    file = request.team.files.get(request.text("file"))
    if file is None or not file.completed:
        raise SlackError("file_not_found")
    if file.deleted:
        raise SlackError("file_deleted")
    return {"file": file_json(request.team, file), "comments": [], "response_metadata": {"next_cursor": ""}}


METHODS = {
    "files.getUploadURLExternal": Method(get_upload_url, ("files:write",)),
    "files.completeUploadExternal": Method(complete_upload, ("files:write",)),
    "files.info": Method(info, ("files:read",)),
}
