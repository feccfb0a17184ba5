"""Installing the app: what somebody allows, the code, the tokens that it is exchanged for, and their end.

Source: Slack docs: authentication/installing-with-oauth, authentication/using-token-rotation, reference/methods/oauth.v2.access,
auth.revoke and apps.uninstall, reference/events/app_uninstalled and tokens_revoked.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from sandbox.slack.state.app import InstalledApp, fresh_secret
from sandbox.slack.state.errors import SlackError
from sandbox.slack.state.model import Json
from sandbox.slack.state.team import Team

CODE_SECONDS = 600.0
TOKEN_SECONDS = 43_200
GRACE_SECONDS = 30.0
"""For a short while a refresh token that was used works once more; Slack's page doesn't say for how long (?)."""
ACTIVE_TOKENS = 2


@dataclass
class Code:
    """What somebody allowed. It works once, for ten minutes."""

    team_id: str
    user: str
    scopes: list[str]
    redirect_uri: str | None
    issued: float
    org_wide: bool
    used: bool = False


class Refused(Exception):
    """What the authorize page says in place of asking; ``args[0]`` is its sentence."""


@dataclass(frozen=True)
class Asked:
    """A request for an installation, as the browser brings it to the authorize page."""

    scopes: list[str]
    state: str
    redirect_uri: str
    """Where the browser goes afterwards."""
    given_redirect_uri: str | None
    team: str


class Installations:
    """The one app's installations in all workspaces."""

    def __init__(self, app: InstalledApp, teams: dict[str, Team]) -> None:
        self._app = app
        self._teams = teams
        self._codes: dict[str, Code] = {}

    # ---- the authorize page -----------------------------------------------------------------------------------------

    def read(self, query: dict[str, str]) -> Asked:
        """Raises Refused: before somebody may be asked, client, scopes and redirect_uri must be right."""
        if query.get("client_id") != self._app.client_id:
            raise Refused("Invalid client_id parameter")
        scopes = [scope for scope in query.get("scope", "").replace(" ", ",").split(",") if scope]
        if not scopes:
            raise Refused("No scopes requested")
        given = query.get("redirect_uri") or None
        known = self._app.manifest.redirect_urls
        if given is not None and not any(_within(given, one) for one in known):
            raise Refused(f"redirect_uri did not match any configured URIs. Passed URI: {given}")
        if not known:
            raise Refused("The app has no redirect URL.")
        return Asked(scopes, query.get("state", ""), given or known[0], given, query.get("team", ""))

    def allow(self, team: Team, user: str, asked: Asked, *, org_wide: bool = False) -> str:
        """Return the code that the browser takes to the redirect URL. Guests can't install apps."""
        person = team.people[user]
        if person.guest or person.is_stranger or person.deleted:
            raise Refused("You don't have permission to install apps in this workspace.")
        if org_wide and not (team.enterprise_id and self._app.manifest.org_deploy):
            raise Refused("The app can't be installed in an organization.")
        code = f"{self._app.random.randrange(10**10)}.{self._app.random.randrange(10**10)}.{fresh_secret(64)}"
        self._codes[code] = Code(
            team.team_id, user, asked.scopes, asked.given_redirect_uri, self._app.clock(), org_wide
        )
        return code

    # ---- oauth.v2.access --------------------------------------------------------------------------------------------

    def access(self, args: Json, client: tuple[str, str] | None) -> Json:
        """The answer of oauth.v2.access. ``client``: id and secret that came as HTTP Basic, before those among the arguments."""
        client_id, client_secret = client or (args.get("client_id", ""), args.get("client_secret", ""))
        self.check_client(client_id, client_secret)
        grant = args.get("grant_type") or "authorization_code"
        if grant == "refresh_token":
            return self._refresh(str(args.get("refresh_token") or ""))
        if grant != "authorization_code":
            raise SlackError("invalid_grant_type")
        return self._redeem(str(args.get("code") or ""), args.get("redirect_uri"))

    def check_client(self, client_id: Any, client_secret: Any) -> None:
        if client_id != self._app.client_id:
            raise SlackError("invalid_client_id")
        if not hmac.compare_digest(str(client_secret).encode(), self._app.client_secret.encode()):
            raise SlackError("bad_client_secret")

    def _redeem(self, code: str, redirect_uri: object) -> Json:
        known = self._codes.get(code)
        if known is None or self._app.clock() - known.issued > CODE_SECONDS:
            raise SlackError("invalid_code")
        if known.used:
            raise SlackError("code_already_used")
        if known.redirect_uri is not None and redirect_uri != known.redirect_uri:
            raise SlackError("bad_redirect_uri")
        known.used = True
        team = self._teams[known.team_id]
        teams = self._of_enterprise(team) if known.org_wide else [team]
        rotates = self._app.manifest.rotates
        for each in teams:
            each.install(known.scopes, token="" if rotates else team.bot_token or f"xoxb-{fresh_secret()}")
            each.org_wide = known.org_wide
            if each is not team:
                each.take_bot_of(team)
        return {
            **(self._rotate(teams) if rotates else {"access_token": team.bot_token}),
            "token_type": "bot",
            "scope": ",".join(team.scopes),
            "bot_user_id": team.bot_user_id,
            "app_id": self._app.app_id,
            "team": None if known.org_wide else {"id": team.team_id, "name": team.name},
            "enterprise": {"id": team.enterprise_id, "name": team.enterprise_id}
            if team.enterprise_id
            else None,
            "authed_user": {"id": known.user},
            "is_enterprise_install": known.org_wide,
        }

    def _refresh(self, refresh_token: str) -> Json:
        teams = [
            team
            for team in self._teams.values()
            if team.refresh_token == refresh_token or team.spent.get(refresh_token, 0) > self._app.clock()
        ]
        if not refresh_token or not teams:
            raise SlackError("invalid_refresh_token")
        team = teams[0]
        return {
            **self._rotate(teams),
            "token_type": "bot",
            "scope": ",".join(team.scopes),
            "bot_user_id": team.bot_user_id,
            "app_id": self._app.app_id,
            "team": None if team.org_wide else {"id": team.team_id, "name": team.name},
            "enterprise": {"id": team.enterprise_id, "name": team.enterprise_id}
            if team.enterprise_id
            else None,
            "is_enterprise_install": team.org_wide,
        }

    def _rotate(self, teams: list[Team]) -> Json:
        """A new pair. The refresh token before is soon of no use any more; the token before lives on to its end, but of three
        the oldest is revoked."""
        token, refresh_token = f"xoxe.xoxb-1-{fresh_secret(48)}", f"xoxe-1-{fresh_secret(48)}"
        for team in teams:
            team.tokens[token] = self._app.clock() + TOKEN_SECONDS
            for oldest in list(team.tokens)[:-ACTIVE_TOKENS]:
                del team.tokens[oldest]
                self._app.revoked.add(oldest)
            team.spent[team.refresh_token] = self._app.clock() + GRACE_SECONDS
            team.refresh_token = refresh_token
            team.tell_installed()
        return {"access_token": token, "expires_in": TOKEN_SECONDS, "refresh_token": refresh_token}

    # ---- whose token, and its end -----------------------------------------------------------------------------------

    def of(self, token: str) -> list[Team]:
        """The workspaces that the token is for: several only where the app is installed in their organisation."""
        return [team for team in self._teams.values() if token and token in team.tokens]

    def find(self, token: str, args: Json) -> Team | None:
        """The one that a call is about: of an organisation's workspaces the one that it names, or that has what it names."""
        teams = self.of(token)
        named = [team for team in teams if args.get("team_id") == team.team_id]
        meant = named or [team for team in teams if team.has(args)] or teams
        return meant[0] if meant else None

    def revoke(self, token: str) -> None:
        """auth.revoke: the token ends, and with the last one the installation."""
        teams = self.of(token)
        self._app.revoked.add(token)
        for team in teams:
            del team.tokens[token]
            if not team.tokens:
                team.uninstall()

    def uninstall(self, team: Team) -> None:
        """All its tokens end at once; of an organisation's installation those of all its workspaces."""
        for each in self._of_enterprise(team) if team.org_wide else [team]:
            self._app.inactive |= set(each.tokens)
            each.uninstall()

    def give(self, team: Team) -> Team:
        """An organisation's administrators give the app to one more of its workspaces; returns another one that has it."""
        other = self._beside(team)
        team.install(other.scopes, other.bot_token)
        team.tokens, team.refresh_token = dict(other.tokens), other.refresh_token
        team.spent, team.org_wide = dict(other.spent), True
        team.take_bot_of(other)
        return other

    def take_away(self, team: Team) -> Team:
        """They take it away again: the organisation's token works on, for the others; returns one of them."""
        other = self._beside(team)
        team.lose()
        return other

    def _beside(self, team: Team) -> Team:
        return next(
            one
            for one in self._teams.values()
            if one is not team and one.org_wide and one.enterprise_id == team.enterprise_id
        )

    def _of_enterprise(self, team: Team) -> list[Team]:
        return [
            team,
            *(t for t in self._teams.values() if t is not team and t.enterprise_id == team.enterprise_id),
        ]


def _within(address: str, configured: str) -> bool:
    """Slack docs: authentication/installing-with-oauth#redirect_urls: the same, or below it."""
    return address == configured or address.startswith(configured.rstrip("/") + "/")
