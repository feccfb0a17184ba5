"""/_local/: the people, the faults and the records, for a test campaign or a tool in another process.

GET  /_local/state                          tokens, workspaces, people, channels, faults, open sockets
GET  /_local/messages?channel=C...          also &team=T...; every message, metadata and ephemeral ones included
GET  /_local/views?user=U...                the person's modals and Home
GET  /_local/calls?since=N                  the log of Web API requests from the Nth on (tokens left out)
POST /_local/do {"verb": "command", "team": "T...", "args": {"user": ..., "channel": ..., "text": ...}}
                                            any of the people's verbs of Workspace; answers the Outcome
                                            (upload's content is given in base64)
POST /_local/faults {"method": ..., ...}    puts a Fault in force;  DELETE /_local/faults  clears all
POST /_local/outage {"on": true}
POST /_local/sockets {"do": "disconnect" | "silence" | "cut", "reason": "refresh_requested"}
POST /_local/limits {"ack_seconds": 1.0, ...}
POST /_local/revoke {"token": ...}
POST /_local/allow {"team": "T...", "user": "U...", "address": ..., "allowed": true}
                                            the person's answer on the authorize page: where the browser is led
POST /_local/uninstall {"team": "T..."}     an administrator removes the app
"""

from __future__ import annotations

import base64
from dataclasses import asdict, fields, is_dataclass
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.slack.state.faults import Fault
from sandbox.slack.state.installing import Refused
from sandbox.slack.state.model import Json
from sandbox.slack.state.settings import Limits

if TYPE_CHECKING:
    from sandbox.slack.server import LocalSlack
    from sandbox.slack.workspace import Workspace

VERBS = (
    "add_person change_person add_group change_group join_enterprise add_channel archive invite_bot kick_bot say command global_shortcut open_home press click type options "
    "submit close emit upload delete_file"
).split()


class Control:
    def __init__(self, slack: LocalSlack) -> None:
        self._slack = slack

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_local/state", self.state),
            web.get("/_local/messages", self.messages),
            web.get("/_local/views", self.views),
            web.get("/_local/calls", self.calls),
            web.post("/_local/do", self.do),
            web.post("/_local/faults", self.add_fault),
            web.delete("/_local/faults", self.clear_faults),
            web.post("/_local/outage", self.outage),
            web.post("/_local/sockets", self.sockets),
            web.post("/_local/limits", self.limits),
            web.post("/_local/revoke", self.revoke),
            web.post("/_local/allow", self.allow),
            web.post("/_local/uninstall", self.uninstall),
        ]

    def _workspace(self, team_id: str | None) -> Workspace:
        if team_id is None:
            return self._slack.workspace
        if team_id not in self._slack.workspaces:
            raise web.HTTPNotFound(text=f"no workspace {team_id}")
        return self._slack.workspaces[team_id]

    async def state(self, _: web.Request) -> web.Response:
        return web.json_response(state_of(self._slack))

    async def messages(self, request: web.Request) -> web.Response:
        team = self._workspace(request.query.get("team")).team
        channel = request.query.get("channel", "")
        shown = [
            {**m.as_json(), "channel": m.channel, "ephemeral_to": m.ephemeral_to}
            for m in team.messages.get(channel, [])
        ]
        return web.json_response(shown)

    async def views(self, request: web.Request) -> web.Response:
        workspace = self._workspace(request.query.get("team"))
        user = request.query.get("user", "")
        home = workspace.home(user)
        modals = [view.as_json() for view in workspace.views(user)]
        return web.json_response({"modals": modals, "home": home.as_json() if home else None})

    async def calls(self, request: web.Request) -> web.Response:
        since = max(0, int(request.query.get("since", "0")) - self._slack.app.calls_forgotten)
        log = [asdict(call) for call in self._slack.app.calls[since:]]
        return web.json_response([{name: v for name, v in each.items() if name != "token"} for each in log])

    async def do(self, request: web.Request) -> web.Response:
        asked: Json = await request.json()
        if asked["verb"] not in VERBS:
            raise web.HTTPNotFound(text=f"no such verb; there are: {', '.join(VERBS)}")
        args = dict(asked.get("args", {}))
        if isinstance(args.get("surface"), list):
            args["surface"] = tuple(args["surface"])
        if asked["verb"] == "upload":
            args["content"] = base64.b64decode(args["content"])
        try:
            result = getattr(self._workspace(asked.get("team")), asked["verb"])(**args)
            done: Any = await result if isawaitable(result) else result
        except (LookupError, TypeError, ValueError) as error:
            raise web.HTTPBadRequest(text=f"{type(error).__name__}: {error}") from error
        plain = asdict(done) if is_dataclass(done) and not isinstance(done, type) else done
        return web.json_response(plain)

    async def add_fault(self, request: web.Request) -> web.Response:
        self._slack.faults.add(Fault(**await request.json()))
        return web.json_response(self._slack.faults.as_json())

    async def clear_faults(self, _: web.Request) -> web.Response:
        self._slack.faults.clear()
        return web.json_response(self._slack.faults.as_json())

    async def outage(self, request: web.Request) -> web.Response:
        await self._slack.outage(bool((await request.json())["on"]))
        return web.json_response(self._slack.faults.as_json())

    async def sockets(self, request: web.Request) -> web.Response:
        asked = await request.json()
        sockets = self._slack.sockets
        if asked["do"] == "disconnect":
            await sockets.disconnect(asked.get("reason", "refresh_requested"))
        elif asked["do"] == "silence":
            sockets.silence()
        else:
            await sockets.cut()
        return web.json_response({"connections": len(sockets.connections)})

    async def limits(self, request: web.Request) -> web.Response:
        known = {each.name for each in fields(Limits)}
        for name, value in (await request.json()).items():
            if name not in known:
                raise web.HTTPBadRequest(text=f"no such limit: {name}")
            setattr(self._slack.limits, name, value)
        return web.json_response(asdict(self._slack.limits))

    async def revoke(self, request: web.Request) -> web.Response:
        self._slack.revoke((await request.json())["token"])
        return web.json_response({})

    async def allow(self, request: web.Request) -> web.Response:
        asked = await request.json()
        try:
            location = self._slack.allow(
                asked["team"], asked["user"], asked["address"], allowed=asked.get("allowed", True)
            )
        except (Refused, KeyError) as problem:
            raise web.HTTPBadRequest(text=str(problem)) from None
        return web.json_response({"location": location})

    async def uninstall(self, request: web.Request) -> web.Response:
        self._slack.uninstall((await request.json())["team"])
        return web.json_response({})


def state_of(slack: LocalSlack) -> Json:
    """Addresses, secrets, workspaces: what somebody outside needs to know."""
    return {
        "url": slack.url,
        "api_url": slack.api_url,
        "app_id": slack.app.app_id,
        "app_token": slack.app_token,
        "signing_secret": slack.signing_secret,
        "client_id": slack.app.client_id,
        "client_secret": slack.app.client_secret,
        "sockets": len(slack.sockets.connections),
        **slack.faults.as_json(),
        "workspaces": [
            {
                "team_id": workspace.team_id,
                "name": workspace.team.name,
                "installed": workspace.team.installed,
                "bot_token": workspace.bot_token,
                "bot_user_id": workspace.bot_user_id,
                "scopes": workspace.scopes,
                "people": [asdict(person) for person in workspace.people],
                "channels": [
                    {**asdict(channel), "members": sorted(channel.members)}
                    for channel in workspace.team.channels.values()
                ],
            }
            for workspace in slack.workspaces.values()
        ],
    }
