"""Renewing tokens that end (docs.slack.dev/authentication/using-token-rotation): a refresh token works once, over all processes.

One that was used is taken again for a short while, of which Slack doesn't say how long it is. So whoever may have missed an answer asks
again at once, in this process or, if it died, in the next one to come.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from slack_sdk.errors import SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator

from bot.slack_client import UNANSWERED, code_of
from bot.workspaces.registry import Workspace, Workspaces
from domain.database import Database
from domain.errors import DatabaseUnavailable
from domain.organisations import installations
from domain.organisations.installations import Installation, KeptInstallation, Tokens
from domain.secrets.box import Box

# Of the twelve hours: two in which Slack may be away.
AHEAD = timedelta(hours=2)
# Longer than all attempts together take, and not much.
LEASE = timedelta(seconds=45)
FETCH_ATTEMPTS = 3
FETCH_SECONDS = 10.0
FETCH_PAUSE = 0.5
STORE_ATTEMPTS = 20
STORE_SECONDS = 2.0
# docs.slack.dev/reference/methods/oauth.v2.access: it was used, and the while is over.
SPENT = "invalid_refresh_token"


class Renewing:
    """``rotator`` is the SDK's, with the app's client id and secret."""

    def __init__(
        self,
        db: Database,
        box: Box,
        workspaces: Workspaces,
        rotator: AsyncTokenRotator,
        owner: str,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._box = box
        self._workspaces = workspaces
        self._rotator = rotator
        self._owner = owner
        self._clock = clock
        # A claim keeps other processes away, not this one.
        self._one_at_a_time = asyncio.Lock()
        self._given: dict[tuple[str, int], Tokens] = {}
        """What Slack gave and the database didn't take yet, by workspace and generation."""
        self._log = structlog.get_logger("bot.workspaces.renewing")

    async def renew_due(self) -> None:
        """Renew what ends within two hours, unless another process is at it. Raises DatabaseUnavailable."""
        async with self._one_at_a_time:
            await self._renew_due()

    async def _renew_due(self) -> None:
        before = self._clock() + AHEAD
        due = await self._db.background_read(installations.list_due_refreshes, before)
        if due:
            await self._workspaces.refresh()
        for team_id in due:
            workspace = self._workspaces.find(team_id)
            if workspace is None or self._leader(workspace) is not workspace:
                continue
            claimed = await self._db.background_write(
                installations.claim_refresh,
                self._box,
                team_id,
                self._owner,
                before=before,
                lease=LEASE,
            )
            if claimed is not None:
                await self._renew(claimed, workspace)
        if due:
            await self._workspaces.refresh()

    def _sharing(self, workspace: Workspace) -> list[Workspace]:
        """All that have the same token: an organisation's workspaces."""
        one = workspace.installation
        if not one.for_enterprise:
            return [workspace]
        shared = [
            other
            for other in self._workspaces
            if other.installation.for_enterprise and other.installation.enterprise_id == one.enterprise_id
        ]
        return sorted(shared, key=lambda other: other.organisation_id)

    def _leader(self, workspace: Workspace) -> Workspace:
        return self._sharing(workspace)[0]

    async def _renew(self, claimed: KeptInstallation, workspace: Workspace) -> None:
        key = (workspace.team_id, claimed.generation)
        tokens = self._given.get(key) or await self._fetch(claimed)
        if tokens is None:
            return
        # The one before is spent: what isn't kept is lost.
        self._given[key] = tokens
        for other in self._sharing(workspace):
            seen = claimed.generation if other is workspace else other.generation
            await self._store(other.team_id, seen, tokens)
        del self._given[key]
        self._log.info("installation.renewed", team=workspace.team_id)

    async def _fetch(self, claimed: KeptInstallation) -> Tokens | None:
        team_id, code = claimed.installation.team_id, ""
        for attempt in range(FETCH_ATTEMPTS):
            if attempt:
                await asyncio.sleep(FETCH_PAUSE)
            try:
                async with asyncio.timeout(FETCH_SECONDS):
                    renewed = await self._ask(claimed.installation)
            except SlackTokenRotationError as error:
                code = code_of(error.api_error) or "unreadable"
                if code == SPENT:
                    self._log.error("installation.not_renewed", team=team_id, code=code)
                    return None
            except UNANSWERED as error:
                code = type(error).__name__
            else:
                if renewed is not None:
                    return renewed
                code = "no_bot_token"
        self._log.warning("installation.not_renewed", team=team_id, code=code)
        return None

    async def _ask(self, one: Installation) -> Tokens | None:
        assert one.tokens.expires_at is not None
        bot = Bot(
            bot_token=one.tokens.bot_token,
            bot_id=one.bot_id,
            bot_user_id=one.bot_user_id,
            bot_refresh_token=one.tokens.refresh_token,
            bot_token_expires_at=int(one.tokens.expires_at.timestamp()),
            installed_at=0.0,
        )
        # Whether it is due was decided by our clock.
        renewed = await self._rotator.perform_bot_token_rotation(bot=bot, minutes_before_expiration=10**6)
        if renewed is None or not renewed.bot_refresh_token or renewed.bot_token_expires_at is None:
            return None
        expires_at = datetime.fromtimestamp(renewed.bot_token_expires_at, UTC)
        return Tokens(renewed.bot_token, renewed.bot_refresh_token, expires_at)

    async def _store(self, team_id: str, seen: int, tokens: Tokens) -> None:
        for attempt in range(STORE_ATTEMPTS):
            try:
                await self._db.background_write(installations.renew, self._box, team_id, seen, tokens)
            except DatabaseUnavailable:
                if attempt + 1 == STORE_ATTEMPTS:
                    raise
                await asyncio.sleep(STORE_SECONDS)
            else:
                return
