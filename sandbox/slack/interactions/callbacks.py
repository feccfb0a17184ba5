"""What apps reach outside the Web API: response_urls, uploads and downloads of files.

Source: Slack docs: interactivity/handling-user-interaction#message_responses; methods/files.getUploadURLExternal.
"""

from __future__ import annotations

from aiohttp import web

from sandbox.slack.blocks.inputs import state_of
from sandbox.slack.blocks.surfaces import check_message
from sandbox.slack.interactions.acting import answer_command
from sandbox.slack.interactions.showing import with_ids
from sandbox.slack.state.app import InstalledApp
from sandbox.slack.state.errors import SlackError
from sandbox.slack.state.model import Json, Message
from sandbox.slack.state.team import ResponseUrl, Team


class Callbacks:
    def __init__(self, app: InstalledApp, teams: dict[str, Team]) -> None:
        self._app = app
        self._teams = teams

    async def handle_response(self, request: web.Request) -> web.StreamResponse:
        """POST /commands/TEAM/... and /actions/TEAM/..."""
        fault = self._app.faults.strike("response_url")
        if self._app.faults.outage or (fault and fault.do == "drop" and fault.when == "before"):
            return _cut(request)
        if fault and fault.do == "slow":
            await fault.wait()
        if fault and fault.do == "status" and fault.when == "before":
            return web.Response(status=fault.status)
        team = self._teams.get(request.match_info["team"])
        known = team.response_urls.get(request.match_info["key"]) if team else None
        try:
            body = await request.json()
        except ValueError:
            return _refusal("invalid_payload", 400)
        if team is None or known is None or self._app.clock() > known.expires:
            return _refusal("expired_url", 404)
        if known.uses >= self._app.limits.response_url_uses:
            return _refusal("used_url", 404)
        known.uses += 1
        error = use_response_url(team, known, body)
        if fault and fault.when == "after" and fault.do == "drop":
            return _cut(request)
        if fault and fault.when == "after" and fault.do == "status":
            return web.Response(status=fault.status)
        return _refusal(error, 400) if error else web.Response(text="ok")

    async def handle_upload(self, request: web.Request) -> web.StreamResponse:
        """POST /upload/v1/TEAM/FILE: the bytes themselves, or one part of a form."""
        team = self._teams.get(request.match_info["team"])
        file = team.files.get(request.match_info["file"]) if team else None
        if self._app.faults.outage:
            return _cut(request)
        if file is None or file.completed:
            return web.Response(status=404, text="not found")
        if request.content_type == "multipart/form-data":
            parts = [p for p in (await request.post()).values() if isinstance(p, web.FileField)]
            content = parts[0].file.read() if parts else b""
        else:
            content = await request.read()
        if len(content) != file.length:
            return web.Response(status=400, text=f"expected {file.length} bytes, got {len(content)}")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def handle_download(self, request: web.Request) -> web.StreamResponse:
        """GET /files-pri/TEAM-FILE/...: the bytes, for a token that may read files; for others a page to sign in.

        Slack answers a token that lacks files:read with that page and status 200, and sends who has none there.
        """
        fault = self._app.faults.strike("url_private_download")
        if self._app.faults.outage or (fault and fault.do == "drop"):
            return _cut(request)
        if fault and fault.do == "slow":
            await fault.wait()
        elif fault and fault.do == "status":
            return web.Response(status=fault.status)
        elif fault and fault.do == "garbled":
            return web.Response(text=fault.body, status=fault.status, content_type=fault.content_type)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise web.HTTPFound(f"{self._app.base_url}/signin?redir={request.path}")
        team_id, _, file_id = request.match_info["file"].partition("-")
        team = self._teams.get(team_id)
        granted = team is not None and token.strip() in team.tokens and "files:read" in team.scopes
        if team is None or not granted or token in self._app.revoked:
            return sign_in()
        file = team.files.get(file_id)
        if file is None or file.deleted or file.content is None:
            return web.Response(status=404, text="<html>Not found</html>", content_type="text/html")
        return web.Response(body=file.content, content_type="application/octet-stream")

    async def handle_sign_in(self, _: web.Request) -> web.StreamResponse:
        return sign_in()


def sign_in() -> web.Response:
    """The page for people who aren't signed in."""
    page = "<!DOCTYPE html><html lang='en'><head><title>Slack</title></head><body>Sign in to your workspace</body></html>"
    return web.Response(text=page, content_type="text/html")


def use_response_url(team: Team, known: ResponseUrl, body: object) -> str | None:
    """Posts, replaces or deletes as the body says; returns Slack's code if it can't be done."""
    if not isinstance(body, dict):
        return "invalid_payload"
    source = team.find_message(*known.message) if known.message else None
    if body.get("delete_original"):
        if source is None:
            return "message_not_found"
        team.delete(source)
        return None
    if body.get("replace_original") and source is not None:
        return _replace(team, source, body)
    return answer_command(team, known.user, known.channel, body)


def _replace(team: Team, message: Message, body: Json) -> str | None:
    text, blocks = body.get("text") or "", body.get("blocks") or []
    if not text and not blocks:
        return "no_text"
    if check_message({"text": text, "blocks": blocks}):
        return "invalid_blocks"
    message.text, message.blocks = text, with_ids(team, blocks)
    message.values = state_of(message.blocks, message.values)
    message.edited = team.next_ts()
    team.show(message, "message_updated")
    return None


def _refusal(code: str, status: int) -> web.Response:
    return web.json_response({"ok": False, "error": SlackError(code).code}, status=status)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
