"""Files as Slack shows them to apps (Slack docs: reference/objects/file-object)."""

from __future__ import annotations

import mimetypes
from urllib.parse import quote

from sandbox.slack.state.model import File, Json
from sandbox.slack.state.team import Team

LARGEST_IN_FORM = 10 * 1024 * 1024
"""Bytes of a file in a file_input (Slack docs: reference/block-kit/block-elements/file-input-element)."""


def extension(name: str) -> str:
    """What stands behind the last dot, in small letters; empty without one."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def file_json(team: Team, file: File) -> Json:
    """The whole file object."""
    place = f"{team.app.base_url}/files-pri/{team.team_id}-{file.id}"
    name = quote(file.name.lower().replace(" ", "_"), safe="._-") or "file"
    private, link = f"{place}/{name}", f"{team.app.base_url}/files/{file.user}/{file.id}/{name}"
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        "filetype": extension(file.name) or "binary",
        "pretty_type": (extension(file.name) or "binary").upper(),
        "user": file.user,
        "user_team": team.team_id,
        "editable": False,
        "size": file.length,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": bool(file.channels),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": private,
        "url_private_download": f"{place}/download/{name}",
        "permalink": link,
        "channels": list(file.channels),
        "groups": [],
        "ims": [],
        "file_access": "visible",
    }


def delivered(team: Team, file: File) -> Json:
    """The file in a payload: of one from a connected workspace an app is told nothing but to ask files.info."""
    if not file.connected:
        return file_json(team, file)
    return {
        "id": file.id,
        "mode": "file_access",
        "file_access": "check_file_info",
        "created": 0,
        "timestamp": 0,
        "user": "",
    }
