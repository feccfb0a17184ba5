"""Which workspace has which token, as the installations in the database say; asked at each delivery."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import structlog
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_client import UNANSWERED
from bot.workspaces.grants import Grants
from domain.database import Database
from domain.organisations import installations
from domain.organisations.installations import Installation, KeptInstallation, Tokens
from domain.secrets.box import Box, CannotOpen

PORTION = 200
# Who delivers for a workspace that isn't known makes us look, but no oftener.
LOOK_AGAIN_SECONDS = 1.0

Make = Callable[[str, str], AsyncWebClient]
"""A client for a workspace (its id) with this token."""


@dataclass(frozen=True, eq=False)
class Workspace:
    """One workspace in which Paylink works. ``generation`` is that of its installation; 0 for a configured token."""

    organisation_id: int
    installation: Installation
    generation: int
    client: AsyncWebClient = field(repr=False)

    @property
    def team_id(self) -> str:
        return self.installation.team_id


class Workspaces:
    """All of them by their ids. ``on_there`` is told of each that comes or has changed, ``on_gone`` of each that goes."""

    def __init__(
        self,
        db: Database,
        box: Box,
        make_client: Make,
        *,
        on_there: Callable[[Workspace], None] = lambda workspace: None,
        on_gone: Callable[[Workspace], None] = lambda workspace: None,
        grants: Grants | None = None,
    ) -> None:
        self.grants = grants or Grants()
        self._db = db
        self._box = box
        self._make_client = make_client
        self._on_there = on_there
        self._on_gone = on_gone
        self._by_team: dict[str, Workspace] = {}
        self._generation = 0
        self._looking = asyncio.Lock()
        self._looked_at = float("-inf")
        self._log = structlog.get_logger("bot.workspaces.registry")

    def __iter__(self) -> Iterator[Workspace]:
        return iter(tuple(self._by_team.values()))

    def find(self, team_id: str) -> Workspace | None:
        return self._by_team.get(team_id)

    def client_of(self, team_id: str) -> AsyncWebClient | None:
        """The client with the workspace's own token; None for one that isn't served here."""
        found = self._by_team.get(team_id)
        return None if found is None else found.client

    def put(self, workspace: Workspace) -> None:
        """Serve it from now on."""
        self._by_team[workspace.team_id] = workspace
        self._on_there(workspace)

    async def refresh(self) -> None:
        """Take over what this or another process has changed since the last time. Raises DatabaseUnavailable."""
        async with self._looking:
            now, changed = await self._db.background_read(installations.list_changed, self._generation)
            for begin in range(0, len(changed), PORTION):
                portion = changed[begin : begin + PORTION]
                self._take(await self._db.background_read(installations.find_each, self._box, portion))
            self._generation = now
            self._looked_at = time.monotonic()

    async def authorize(
        self, team_id: str | None, enterprise_id: str | None = None
    ) -> AuthorizeResult | None:
        """What Bolt works with; None for a workspace in which Paylink isn't installed. Raises DatabaseUnavailable."""
        found = await self._find(team_id or "", enterprise_id)
        if found is None:
            return None
        installation = found.installation
        return AuthorizeResult(
            enterprise_id=installation.enterprise_id,
            team_id=installation.team_id,
            bot_token=installation.tokens.bot_token,
            bot_id=installation.bot_id,
            bot_user_id=installation.bot_user_id,
            bot_scopes=list(installation.scopes),
        )

    async def _find(self, team_id: str, enterprise_id: str | None) -> Workspace | None:
        found = self._by_team.get(team_id)
        if found is not None or not team_id or not self._box.has_keys:
            return found
        # Those who wait here meanwhile find what the first one has read.
        if self._looking.locked() or time.monotonic() - self._looked_at >= LOOK_AGAIN_SECONDS:
            await self.refresh()
        if team_id not in self._by_team and enterprise_id:
            await self.adopt(team_id, enterprise_id)
        return self._by_team.get(team_id)

    async def adopt(self, team_id: str, enterprise_id: str) -> None:
        """Take up a workspace of an organisation that has installed the app, once Slack says that it was given the app, too: it has
        the organisation's token, and is an organisation of its own. Raises DatabaseUnavailable."""
        for other in self:
            one = other.installation
            if one.for_enterprise and one.enterprise_id == enterprise_id:
                try:
                    granted = await self.grants.list(enterprise_id, other.client, LOOK_AGAIN_SECONDS)
                except (SlackApiError, *UNANSWERED):
                    return
                if team_id in granted:
                    adopted, name = replace(one, team_id=team_id), granted[team_id]
                    await self._db.write(installations.store, self._box, adopted, name)
                    await self.refresh()
                return

    def _take(self, read: Iterable[tuple[str, KeptInstallation | CannotOpen | None]]) -> None:
        for team_id, kept in read:
            if isinstance(kept, CannotOpen):
                self._log.error("installation.unreadable", team=team_id)
                kept = None
            if kept is not None:
                client = self._make_client(kept.installation.tokens.bot_token, team_id)
                self.put(Workspace(kept.organisation_id, kept.installation, kept.generation, client))
            elif (gone := self._by_team.pop(team_id, None)) is not None:
                self._log.info("workspace.gone", team=team_id)
                self._on_gone(gone)


def configured(
    organisation_id: int,
    team_id: str,
    bot_id: str,
    bot_user_id: str,
    scopes: frozenset[str],
    client: AsyncWebClient,
) -> Workspace:
    """The workspace of the token that is a setting: nobody installed it here, and nothing of it is kept."""
    installation = Installation(
        team_id=team_id,
        enterprise_id=None,
        for_enterprise=False,
        bot_id=bot_id,
        bot_user_id=bot_user_id,
        scopes=tuple(sorted(scopes)),
        installed_by="",
        tokens=Tokens(client.token or ""),
    )
    return Workspace(organisation_id, installation, 0, client)


Authorize = Callable[..., Awaitable[AuthorizeResult]]


def authorizing(workspaces: Workspaces) -> Authorize:
    """For Bolt. Said outright, or it would look for installations of its own as soon as SLACK_CLIENT_ID happens to be set
    (docs/facts/slack.md)."""

    async def authorize(enterprise_id: object, team_id: object) -> AuthorizeResult:
        # Bolt hands over whatever a payload has in their places. It knows that there may be none, its types don't.
        team, enterprise = (one if isinstance(one, str) else None for one in (team_id, enterprise_id))
        return await workspaces.authorize(team, enterprise)  # type: ignore[return-value]

    return authorize
