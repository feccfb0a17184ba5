"""Uploads in three steps (Slack docs: methods/files.getUploadURLExternal, files.completeUploadExternal)."""

from __future__ import annotations

from sandbox.slack.methods.request import Method, Request
from sandbox.slack.state.errors import SlackError, invalid_arguments
from sandbox.slack.state.model import File, Json


def get_upload_url(request: Request) -> Json:
    name, length = request.text("filename"), request.number("length", 0)
    if not name or length < 1:
        raise invalid_arguments("[ERROR] must be greater than 0 [json-pointer:/length]")
    file = File(request.team.app.identifier("F"), name, length, title=name)
    request.team.files[file.id] = file
    return {
        "upload_url": f"{request.team.app.base_url}/upload/v1/{request.team.team_id}/{file.id}",
        "file_id": file.id,
    }


def complete_upload(request: Request) -> Json:
    """Shares uploaded files; `channel_id` is a conversation's id (a person's id is channel_not_found)."""
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
    channel = request.joined(request.channel("channel_id")) if request.args.get("channel_id") else None
    if channel and channel.archived:
        raise SlackError("posting_to_channel_denied")
    for each, file in zip(given, files, strict=True):
        file.completed = True
        file.title = each.get("title") or file.name
    shown = [file_json(file) for file in files]
    if channel:
        comment = request.text("initial_comment", "")
        team.post(
            team.app_message(channel.id, comment, [], files=shown, thread_ts=request.args.get("thread_ts"))
        )
        for file in files:
            file.channels.append(channel.id)
            data = {"id": file.id, "name": file.name, "title": file.title, "channel": channel.id}
            team.publish("file_shared", data, channel=channel.id)
    return {"files": shown}


def file_json(file: File) -> Json:
    extension = file.name.rpartition(".")[2].lower()
    return {"id": file.id, "name": file.name, "title": file.title, "size": file.length, "filetype": extension}


METHODS = {
    "files.getUploadURLExternal": Method(get_upload_url, ("files:write",)),
    "files.completeUploadExternal": Method(complete_upload, ("files:write",)),
}
