"""A Slack on this machine: a real HTTP and WebSocket server on loopback that an unchanged Slack app talks to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from bot.local.slack.model import Json
from bot.local.slack.settings import Limits
from bot.local.slack.workspace import Workspace


class LocalSlack:
    """One Slack app, installed in one or more workspaces, and the server that stands for slack.com.

        slack = LocalSlack(manifest)                      # Socket Mode
        slack = LocalSlack(manifest, delivery="http", request_url="http://127.0.0.1:3000/slack/events")
        await slack.start()
        # give the bot: SLACK_API_URL=slack.api_url, SLACK_BOT_TOKEN=slack.workspace.bot_token,
        #               SLACK_APP_TOKEN=slack.app_token or SLACK_SIGNING_SECRET=slack.signing_secret
        await slack.workspace.command(user, channel, "/invoice INV-1")
        await slack.stop()

    `manifest` is the app's manifest as a mapping (Slack docs: reference/app-manifest). In HTTP mode payloads go to
    `request_url`, or to the manifest's own URLs when it is None; it may be set after `start`.
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
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
        seed: int = 0,
    ) -> None:
        raise NotImplementedError

    workspace: Workspace
    """The first workspace."""
    workspaces: dict[str, Workspace]
    app_token: str
    signing_secret: str
    request_url: str | None
    limits: Limits

    async def start(self, port: int = 0) -> None:
        """Listens on 127.0.0.1; port 0 takes a free one."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Closes every connection and waits for what is under way."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """http://127.0.0.1:PORT"""
        raise NotImplementedError

    @property
    def api_url(self) -> str:
        """http://127.0.0.1:PORT/api/, for SLACK_API_URL and `AsyncWebClient(base_url=...)`."""
        raise NotImplementedError

    def add_workspace(self, team_id: str, name: str, *, bot_token: str | None = None) -> Workspace:
        """Installs the app in another workspace, with its own people, channels and bot token."""
        raise NotImplementedError

    def revoke(self, token: str) -> None:
        """From now on this token is answered token_revoked."""
        raise NotImplementedError

    async def connected(self, sockets: int = 1, timeout: float = 10.0) -> None:
        """Waits until the app holds at least this many Socket Mode connections."""
        raise NotImplementedError

    async def settled(self, timeout: float = 10.0) -> None:
        """Waits until no delivery and no API call is under way."""
        raise NotImplementedError
