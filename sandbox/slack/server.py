"""A Slack on this machine: a real HTTP and WebSocket server on loopback that an unchanged Slack app talks to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from sandbox.slack.control import Control
from sandbox.slack.interactions.callbacks import Callbacks
from sandbox.slack.interactions.events import Background
from sandbox.slack.state.app import Ack, Delivery, Envelope, InstalledApp, fresh_secret
from sandbox.slack.state.faults import Faults
from sandbox.slack.state.installing import Installations
from sandbox.slack.state.keeping import restore_app, restore_teams, snapshot
from sandbox.slack.state.manifest import Manifest
from sandbox.slack.state.model import Json
from sandbox.slack.state.settings import Limits
from sandbox.slack.state.team import Team
from sandbox.slack.state.watching import PATIENCE, Broadcast
from sandbox.slack.transport.authorizing import Authorizing
from sandbox.slack.transport.posts import Posts
from sandbox.slack.transport.sockets import Sockets
from sandbox.slack.transport.web_api import WebApi
from sandbox.slack.workspace import Workspace
from sandbox.stopping import clean_up

LARGEST_REQUEST = 64 * 2**20
T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Traffic:
    """A Delivery around the real one that counts what is under way, so that one can wait until nothing is."""

    def __init__(self, app: InstalledApp, delivery: Delivery) -> None:
        self._app = app
        self._delivery = delivery
        self.under_way = 0
        self.changed = Broadcast()

    async def count(self, work: Awaitable[T]) -> T:
        self.under_way += 1
        try:
            return await work
        finally:
            self.under_way -= 1
            self.changed.touch()

    async def send(
        self,
        envelope: Envelope,
        payload: Json,
        *,
        answerable: bool = False,
        retry: tuple[int, str] | None = None,
    ) -> Ack:
        if envelope == "interactive" and not self._app.manifest.interactive:
            return Ack(False, 0.0, error="not_interactive")
        return await self.count(self._delivery.send(envelope, payload, answerable=answerable, retry=retry))

    def counted(self, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self.count(handler(request))

        return handle


class LocalSlack:
    """One Slack app, installed in none, one or more workspaces, and the server that stands for slack.com.

        slack = LocalSlack(manifest)                      # Socket Mode
        slack = LocalSlack(for_http(manifest, url), delivery="http")
        await slack.start()
        # give the bot: SLACK_API_URL=slack.api_url, SLACK_BOT_TOKEN=slack.workspace.bot_token,
        #               SLACK_APP_TOKEN=slack.app_token or SLACK_SIGNING_SECRET=slack.signing_secret
        await slack.workspace.command(user, channel, "/invoice INV-1")
        await slack.stop()

    `manifest` is the app's manifest as a mapping (Slack docs: reference/app-manifest). In HTTP mode payloads go to
    `request_url`, or to the manifest's own URLs when it is None; it may be set after `start` (type-ahead needs its URL in
    the manifest in any case). `faults` makes it fail on
    demand, `limits` may be changed at any time, `sockets` cuts, silences and refreshes connections.
    """

    def __init__(
        self,
        manifest: Json,
        *,
        delivery: Literal["socket", "http"] = "socket",
        request_url: str | None = None,
        team_id: str = "T0PAYLINK1",
        team_name: str = "Paylink",
        bot_token: str | None = None,
        app_token: str | None = None,
        signing_secret: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        installed: bool = True,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
        seed: int = 0,
    ) -> None:
        random = Random()  # noqa: S311, ids that differ between runs on one set of data
        self.app = InstalledApp(
            manifest=Manifest(manifest),
            limits=limits or Limits(),
            clock=clock,
            app_id="A0LOCALAPP",
            app_token=app_token or f"xapp-1-A0LOCALAPP-{fresh_secret()}",
            signing_secret=signing_secret or fresh_secret(32),
            verification_token=fresh_secret(),
            faults=Faults(seed),
            random=random,
            client_id=client_id or f"{random.randrange(10**12)}.{random.randrange(10**12)}",
            client_secret=client_secret or fresh_secret(32),
        )
        self.sockets = Sockets(self.app)
        self.posts = Posts(self.app, request_url)
        self.traffic = Traffic(self.app, self.sockets if delivery == "socket" else self.posts)
        self.workspaces: dict[str, Workspace] = {}
        self._teams: dict[str, Team] = {}
        self._background = Background()
        self._runner: web.AppRunner | None = None
        self.installations = Installations(self.app, self._teams)
        self.authorizing = Authorizing(self.app, self._teams, self.installations)
        self.workspace = self.add_workspace(team_id, team_name, bot_token=bot_token, installed=installed)

    async def start(self, port: int = 0) -> None:
        """Listens on 127.0.0.1; port 0 takes a free one."""
        api = WebApi(self.app, self.installations, self.sockets)
        callbacks = Callbacks(self.app, self._teams)
        application = web.Application(client_max_size=LARGEST_REQUEST)
        application.add_routes(
            [
                web.route("*", "/api/{method}", self.traffic.counted(api.handle)),
                web.get("/link/", self.sockets.handle),
                web.get("/oauth/v2/authorize", self.authorizing.ask),
                web.post("/oauth/v2/authorize", self.authorizing.answer),
                web.post("/commands/{team}/{key:.+}", self.traffic.counted(callbacks.handle_response)),
                web.post("/actions/{team}/{key:.+}", self.traffic.counted(callbacks.handle_response)),
                web.post("/upload/v1/{team}/{file}", self.traffic.counted(callbacks.handle_upload)),
                web.get("/files-pri/{file}/{tail:.+}", self.traffic.counted(callbacks.handle_download)),
                web.get("/signin", callbacks.handle_sign_in),
                *Control(self).routes(),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.app.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Closes every connection and ends what is under way."""
        await self._background.stop()
        await self.sockets.cut()
        await self.posts.close()
        if self._runner is not None:
            await clean_up(self._runner)
            self._runner = None

    async def __aenter__(self) -> LocalSlack:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """http://127.0.0.1:PORT"""
        return self.app.base_url

    @property
    def api_url(self) -> str:
        """http://127.0.0.1:PORT/api/, for SLACK_API_URL and `AsyncWebClient(base_url=...)`."""
        return f"{self.app.base_url}/api/"

    @property
    def app_token(self) -> str:
        return self.app.app_token

    @property
    def signing_secret(self) -> str:
        return self.app.signing_secret

    @property
    def limits(self) -> Limits:
        return self.app.limits

    @property
    def faults(self) -> Faults:
        return self.app.faults

    @property
    def request_url(self) -> str | None:
        return self.posts.request_url

    @request_url.setter
    def request_url(self, url: str | None) -> None:
        self.posts.request_url = url

    def add_workspace(
        self, team_id: str, name: str, *, bot_token: str | None = None, installed: bool = True
    ) -> Workspace:
        """Makes another workspace, with its own people and channels; with the app in it if `installed`."""
        token = (bot_token or f"xoxb-{fresh_secret()}") if installed else ""
        team = Team(self.app, team_id, name, token)
        workspace = Workspace(team, self.traffic, self._background)
        self._teams[team_id] = team
        self.workspaces[team_id] = workspace
        return workspace

    def allow(
        self, team_id: str, user: str, address: str, *, allowed: bool = True, org_wide: bool = False
    ) -> str:
        """What the browser of somebody who was led to the authorize page's `address` is told to open next.

        Raises Refused, with what the page would say.
        """
        asked = self.installations.read(dict(parse_qsl(urlsplit(address).query)))
        return self.authorizing.decide(asked, team_id, user, allowed=allowed, org_wide=org_wide)

    def uninstall(self, team_id: str) -> None:
        """An administrator removes the app from the workspace; sends tokens_revoked and app_uninstalled."""
        self.installations.uninstall(self._teams[team_id])

    async def give_access(self, team_id: str) -> None:
        """An organisation's administrators give its app to this workspace of theirs; sends team_access_granted, if it is subscribed to.

        Slack docs: reference/events/team_access_granted, team_access_revoked.
        """
        other = self.installations.give(self._teams[team_id])
        told = {"type": "team_access_granted", "team_ids": [team_id]}
        await self.workspaces[other.team_id].emit(told)

    async def take_access(self, team_id: str) -> None:
        """They take it away; sends team_access_revoked, if it is subscribed to."""
        other = self.installations.take_away(self._teams[team_id])
        told = {"type": "team_access_revoked", "team_ids": [team_id]}
        await self.workspaces[other.team_id].emit(told)

    def revoke(self, token: str) -> None:
        """From now on this token is answered token_revoked."""
        self.app.revoked.add(token)

    def snapshot(self) -> Json:
        """The world as JSON: secrets, people, channels, messages, Homes, files; not open modals."""
        return snapshot(self.app, self._teams)

    def restore(self, kept: Json) -> None:
        """Puts a snapshot back, before `start`; workspaces that it doesn't name stay as they are."""
        for team_id, name in restore_app(self.app, kept):
            if team_id not in self.workspaces:
                self.add_workspace(team_id, name, installed=False)
        restore_teams(self._teams, kept)

    async def outage(self, on: bool = True) -> None:
        """Slack is away: requests are cut off, sockets closed and refused, deliveries fail, until it is on again."""
        self.app.faults.outage = on
        if on:
            await self.sockets.cut()

    async def connected(self, sockets: int = 1, timeout: float = PATIENCE) -> None:
        """Waits until the app holds at least this many Socket Mode connections."""
        await _until(lambda: len(self.sockets.connections) >= sockets, self.sockets.changed, timeout)

    async def settled(self, timeout: float = PATIENCE) -> None:
        """Waits until no delivery and no request of the app is under way."""
        await _until(lambda: self.traffic.under_way == 0, self.traffic.changed, timeout)


async def _until(true: Callable[[], bool], changed: Broadcast, timeout: float) -> None:
    async with asyncio.timeout(timeout):
        while True:
            change = changed.next_change()
            if true():
                return
            await change.wait()
