"""/api/METHOD: tokens, scopes, arguments, rate limits and faults around the methods (Slack docs: apis/web-api)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from sandbox.slack.methods import METHODS
from sandbox.slack.methods.request import Request
from sandbox.slack.state.app import InstalledApp, fresh_secret
from sandbox.slack.state.errors import SlackError
from sandbox.slack.state.faults import Fault
from sandbox.slack.state.installing import Installations
from sandbox.slack.state.model import Call, Json
from sandbox.slack.state.team import Team
from sandbox.slack.transport.pacing import Pacing
from sandbox.slack.transport.sockets import Sockets

ENDING = ("auth.revoke", "apps.uninstall")

Answer = tuple[int, Json, dict[str, str]]


class WebApi:
    """Answers every Web API request and keeps the log of them in `app.calls`."""

    def __init__(self, app: InstalledApp, installations: Installations, sockets: Sockets) -> None:
        self._app = app
        self._installations = installations
        self._sockets = sockets
        self._pacing = Pacing(app.limits, app.clock)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args, token, problem = await arguments(request)
        if self._app.faults.outage:
            return self._cut(request, method, args, token, "outage")
        fault = self._app.faults.strike(method, args)
        if fault and fault.when == "before":
            response = await self._before(request, method, args, token, fault)
            if response is not None:
                return response
        teams, team = self._installations.of(token), self._installations.find(token, args)
        answer = self._answer(method, args, token, basic(request)) if problem is None else failure(problem)
        if team is not None:
            answer[2]["x-oauth-scopes"] = ",".join(team.scopes)
            answer[2]["x-accepted-oauth-scopes"] = ",".join(
                METHODS[method].scopes if method in METHODS else ()
            )
        if fault and fault.when == "after":
            if fault.do == "drop":
                return self._cut(request, method, args, token, "answer lost")
            if fault.do == "slow":
                await fault.wait()
            else:
                answer = struck(fault)
        return self._send(method, args, token, answer, describe(fault), teams)

    async def _before(
        self, request: web.Request, method: str, args: Json, token: str, fault: Fault
    ) -> web.StreamResponse | None:
        if fault.do == "drop":
            return self._cut(request, method, args, token, "dropped")
        if fault.do == "slow":
            await fault.wait()
            return None
        if fault.do == "garbled":
            self._log(Call(method, args, token, self._app.clock(), fault.status, None, {}, describe(fault)))
            headers = {} if fault.retry_after is None else {"retry-after": fault.retry_after}
            # A lone surrogate stands for a byte that is no UTF-8.
            body = fault.body.encode("utf-8", "surrogateescape")
            return web.Response(
                body=body, status=fault.status, content_type=fault.content_type, headers=headers
            )
        return self._send(method, args, token, struck(fault), describe(fault))

    def _cut(self, request: web.Request, method: str, args: Json, token: str, why: str) -> web.StreamResponse:
        """Ends the connection without an answer."""
        self._log(Call(method, args, token, self._app.clock(), 0, None, {}, why))
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=503)

    def _send(
        self,
        method: str,
        args: Json,
        token: str,
        answer: Answer,
        fault: str | None,
        teams: Sequence[Team] = (),
    ) -> web.StreamResponse:
        status, body, headers = answer
        self._log(Call(method, args, token, self._app.clock(), status, body, headers, fault), teams)
        return web.json_response(body, status=status, headers={**headers, "x-slack-req-id": fresh_secret(32)})

    def _log(self, call: Call, teams: Sequence[Team] = ()) -> None:
        self._app.log(call)
        for team in teams or self._installations.of(call.token):
            team.broadcast.touch()

    def _answer(self, method: str, args: Json, token: str, client: tuple[str, str] | None) -> Answer:
        try:
            if method == "oauth.v2.access":
                return 200, {"ok": True, **self._installations.access(args, client)}, {}
            return self._run(method, args, token)
        except SlackError as error:
            return failure(error)

    def _run(self, method: str, args: Json, token: str) -> Answer:
        if method == "api.test":
            # Slack docs: reference/methods/api.test: whoever asks.
            return 200, {"ok": True, "args": args}, {}
        if method not in METHODS and method not in ENDING and method != "apps.connections.open":
            raise SlackError("unknown_method", req_method=method)
        if not token:
            raise SlackError("not_authed")
        if token in self._app.revoked:
            raise SlackError("token_revoked")
        if token == self._app.app_token:
            return 200, {"ok": True, **self._with_app_token(method)}, {}
        if token in self._app.inactive:
            raise SlackError("account_inactive")
        team = self._installations.find(token, args)
        if team is None:
            raise SlackError("invalid_auth")
        ends = team.tokens[token]
        if ends is not None and ends <= self._app.clock():
            raise SlackError("token_expired")
        if method in ENDING:
            return 200, {"ok": True, **self._end(method, args, team, token)}, {}
        if method == "apps.connections.open":
            raise SlackError("not_allowed_token_type")
        known = METHODS[method]
        if known.scopes and not set(known.scopes) & set(team.scopes):
            raise SlackError("missing_scope", needed=",".join(known.scopes), provided=",".join(team.scopes))
        refused = self._pacing.refuse(team.team_id, method, str(args.get("channel", "")))
        if refused is not None:
            return ratelimited(refused)
        return 200, {"ok": True, **known.run(Request(team, args, token, self._installations.of(token)))}, {}

    def _end(self, method: str, args: Json, team: Team, token: str) -> Json:
        """Slack docs: reference/methods/auth.revoke, apps.uninstall."""
        if method == "apps.uninstall":
            self._installations.check_client(args.get("client_id"), args.get("client_secret"))
            self._installations.uninstall(team)
            return {}
        if str(args.get("test", "")).lower() in ("1", "true"):
            return {"revoked": False}
        self._installations.revoke(token)
        return {"revoked": True}

    def _with_app_token(self, method: str) -> Json:
        if method == "auth.test":
            return {"app_name": self._app.manifest.name, "app_id": self._app.app_id}
        if method != "apps.connections.open":
            raise SlackError("not_allowed_token_type")
        scopes = self._app.app_token_scopes
        if "connections:write" not in scopes:
            raise SlackError("missing_scope", needed="connections:write", provided=",".join(scopes))
        return {"url": self._sockets.issue_url(self._app.base_url)}


def basic(request: web.Request) -> tuple[str, str] | None:
    """Client id and secret as oauth.v2.access prefers to get them."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret


async def arguments(request: web.Request) -> tuple[Json, str, SlackError | None]:
    """A request's arguments and token, from query, form or JSON, and Slack's refusal of a malformed body."""
    args: Json = dict(request.query)
    problem: SlackError | None = None
    kind = request.content_type
    if request.method == "POST" and request.can_read_body:
        if kind == "application/json":
            body = _json(await request.read())
            if isinstance(body, dict):
                args |= body
            else:
                problem = SlackError("invalid_json" if body is None else "json_not_object")
        elif kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
            args |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        else:
            problem = SlackError("invalid_post_type")
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    given = args.pop("token", "")
    token = bearer.strip() if scheme.lower() == "bearer" else str(given or "")
    return args, token, problem


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def failure(error: SlackError) -> Answer:
    return 200, {"ok": False, "error": error.code, **error.extra}, {}


def ratelimited(seconds: int, told: str | None = None) -> Answer:
    """`told`: what stands in Retry-After instead of the seconds."""
    return (
        429,
        {"ok": False, "error": "ratelimited"},
        {"retry-after": str(seconds) if told is None else told},
    )


def struck(fault: Fault) -> Answer:
    """The answer that a fault puts in place of the real one."""
    if fault.do == "error":
        return failure(SlackError(fault.error))
    if fault.status == 429:
        return ratelimited(max(1, round(fault.seconds)), fault.retry_after)
    return fault.status, {"ok": False, "error": "service_unavailable"}, {}


def describe(fault: Fault | None) -> str | None:
    return f"{fault.when} {fault.do}" if fault else None
