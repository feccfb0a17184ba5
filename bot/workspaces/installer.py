"""Installing: where somebody is led to, and what is made of the code that they bring back.

Source: docs.slack.dev/authentication/installing-with-oauth, docs.slack.dev/reference/methods/oauth.v2.access
"""

import contextlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth import AuthorizeUrlGenerator
from slack_sdk.web.async_client import AsyncWebClient

from bot.scopes import OPTIONAL, SCOPES
from bot.settings import Settings, secret
from bot.slack_client import UNANSWERED, SlackAway, code_of
from bot.workspaces.grants import fetch_teams
from bot.workspaces.registry import Make, Workspaces
from domain.database import Database
from domain.organisations import installations, settings
from domain.organisations.installations import Installation, Tokens
from domain.secrets.box import Box
from domain.states import Source
from domain.summaries import Actor

INSTALL_PATH = "/slack/install"
REDIRECT_PATH = "/slack/oauth_redirect"
_ID = re.compile(r"[A-Z0-9]{2,255}", re.ASCII)


class CodeRefused(Exception):
    """Slack gives no token for the code; ``code`` is its word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Installed:
    """What came of it: the workspaces, several only in an Enterprise Grid organisation."""

    team_ids: tuple[str, ...]
    name: str
    app_id: str
    installed_by: str


Greet = Callable[[str, str, AsyncWebClient], Awaitable[None]]
"""Tells whoever installed it (workspace, person, client) what comes next."""


class Installer:
    """Installs the app in workspaces, by codes that Slack gave their people."""

    def __init__(
        self,
        settings: Settings,
        db: Database,
        box: Box,
        client: AsyncWebClient,
        make_client: Make,
        workspaces: Workspaces,
        *,
        clock: Callable[[], datetime],
        greet: Greet,
    ) -> None:
        """``client`` has no token. ``greet`` is called once the installation is kept."""
        self._settings = settings
        self._db = db
        self._box = box
        self._client = client
        self._make_client = make_client
        self._workspaces = workspaces
        self._clock = clock
        self._greet = greet
        self._log = structlog.get_logger("bot.workspaces.installer")

    @property
    def can_keep(self) -> bool:
        """Whether there is a key to seal tokens with: without one nothing is installed."""
        return self._box.has_keys

    @property
    def install_url(self) -> str:
        return f"{self._settings.paylink_public_url}{INSTALL_PATH}"

    @property
    def redirect_uri(self) -> str:
        return f"{self._settings.paylink_public_url}{REDIRECT_PATH}"

    def open_url(self, installed: "Installed") -> str:
        """Where the app opens in Slack (docs.slack.dev/interactivity/deep-linking)."""
        there = {"app": installed.app_id, "team": installed.team_ids[0]}
        return f"{self._settings.slack_api_url.removesuffix('/api')}/app_redirect?{urlencode(there)}"

    def authorize_url(self, state: str) -> str:
        """Slack's page on which somebody allows it."""
        generator = AuthorizeUrlGenerator(
            client_id=self._settings.slack_client_id or "",
            scopes=[*SCOPES, *OPTIONAL],
            redirect_uri=self.redirect_uri,
            authorization_url=f"{self._settings.slack_api_url.removesuffix('/api')}/oauth/v2/authorize",
        )
        return generator.generate(state)

    async def install(self, code: str) -> Installed:
        """Exchange the code, and keep what Slack gives. Raises CodeRefused, SlackAway, NoSecretKeys, DatabaseUnavailable."""
        answer = await self._exchange(code)
        token = str(answer.get("access_token") or "")
        enterprise_id = _id(answer.get("enterprise"))
        try:
            client = self._make_client(token, _id(answer.get("team")) or "")
            bot_id = str((await client.auth_test()).get("bot_id") or "")
            teams = await self._teams(client, answer)
        except (SlackApiError, *UNANSWERED) as error:
            self._log.warning("installation.failed", code=_code(error))
            raise SlackAway from None
        user_id = _id(answer.get("authed_user")) or ""
        if not token.startswith(("xoxb-", "xoxe.xoxb-")) or not teams or not user_id:
            raise CodeRefused("no_bot_token")
        zone = await _fetch_zone(client, user_id)
        for team_id, name in teams.items():
            installation = Installation(
                team_id=team_id,
                enterprise_id=enterprise_id,
                for_enterprise=answer.get("is_enterprise_install") is True,
                bot_id=bot_id,
                bot_user_id=str(answer.get("bot_user_id") or ""),
                scopes=tuple(str(answer.get("scope") or "").split(",")),
                installed_by=user_id,
                tokens=tokens_of(answer, self._clock()),
            )
            kept = await self._db.write(installations.store, self._box, installation, name)
            by = Actor(team_id, user_id, Source.PAGE)
            await self._db.write(settings.begin_with_zone, kept.id, zone, by=by, now=self._clock())
            self._log.info("installation.stored", team=team_id)
            await _come_back(client, kept.channel)
        await self._workspaces.refresh()
        first = next(iter(teams))
        await self._told(first, user_id)
        return Installed(tuple(teams), teams[first], str(answer.get("app_id") or ""), user_id)

    async def _exchange(self, code: str) -> Any:
        try:
            answer = await self._client.oauth_v2_access(
                client_id=self._settings.slack_client_id or "",
                client_secret=secret(self._settings.slack_client_secret),
                code=code,
                redirect_uri=self.redirect_uri,
            )
        except SlackApiError as error:
            refused = code_of(error)
            if refused is None or refused in ("internal_error", "fatal_error", "ratelimited"):
                raise SlackAway from None
            self._log.warning("installation.refused", code=refused)
            raise CodeRefused(refused) from None
        except UNANSWERED:
            raise SlackAway from None
        return answer.data

    async def _teams(self, client: AsyncWebClient, answer: Any) -> dict[str, str]:
        """Their names by their ids. An organisation's installation is for all of its workspaces that were given the app."""
        team_id = _id(answer.get("team"))
        if team_id is not None:
            return {team_id: str(answer["team"].get("name") or "")}
        return {found: name for found, name in (await fetch_teams(client)).items() if _ID.fullmatch(found)}

    async def _told(self, team_id: str, user_id: str) -> None:
        workspace = self._workspaces.find(team_id)
        if workspace is None:
            return
        try:
            await self._greet(team_id, user_id, workspace.client)
        except (SlackApiError, *UNANSWERED) as error:
            self._log.warning("installation.not_told", code=_code(error))


async def _fetch_zone(client: AsyncWebClient, user_id: str) -> str:
    """In which somebody lives, by their profile; empty where that can't be known."""
    try:
        answer = await client.users_info(user=user_id)
    except (SlackApiError, *UNANSWERED):
        return ""
    profile = answer.get("user")
    zone = profile.get("tz") if isinstance(profile, dict) else None
    return zone if isinstance(zone, str) else ""


async def _come_back(client: AsyncWebClient, channel: str | None) -> None:
    """Whoever removed the app took it out of the notification channel, too. One that is private, somebody invites it to: posting tells."""
    if channel is None:
        return
    with contextlib.suppress(SlackApiError, *UNANSWERED):
        await client.conversations_join(channel=channel)


def tokens_of(answer: Any, now: datetime) -> Tokens:
    """The tokens in an answer of oauth.v2.access; with rotation they end."""
    seconds, refresh = answer.get("expires_in"), answer.get("refresh_token")
    if not isinstance(seconds, int) or not isinstance(refresh, str):
        return Tokens(str(answer["access_token"]))
    return Tokens(str(answer["access_token"]), refresh, now + timedelta(seconds=seconds))


def _id(named: object) -> str | None:
    """An object's id; None for what is no id of Slack's: organisations are made of them, and stay."""
    found = named.get("id") if isinstance(named, dict) else None
    return found if isinstance(found, str) and _ID.fullmatch(found) else None


def _code(error: BaseException) -> str:
    return (code_of(error) if isinstance(error, SlackApiError) else None) or type(error).__name__
