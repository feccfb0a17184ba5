"""Whether a workspace has removed the app. An event says so, or Slack refuses its token, or no longer counts it among those that an
organisation's token is for; nothing is erased before Slack was asked.

An event may be old, of an installation before this one, and one refusal may be a hiccup of Slack's.
"""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from slack_sdk.errors import SlackApiError

from bot.slack_client import UNANSWERED, code_of
from bot.workspaces.registry import Workspace, Workspaces
from domain.connecting.disconnecting import Disconnected
from domain.coordination.side_by_side import few_at_once

# docs.slack.dev/reference/methods/auth.test: the app was removed, or the workspace is no more.
# The last one is also our word for a workspace that its organisation's token isn't for any more.
NOT_GRANTED = "team_access_not_granted"
ENDED = frozenset(("account_inactive", "token_revoked", NOT_GRANTED))
# What says nothing of the token: empty for no answer at all.
UNDECIDED = frozenset(
    ("", "ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout")
)
REFUSALS = 3
AGAIN_SECONDS = 15.0
AWAY_SECONDS = 5.0
# For what happened while no process heard events.
EACH_SECONDS = 3600.0
# An organisation's workspaces are asked about with one question, where nothing is suspected.
GRANTS_SECONDS = 300.0
GRANTS_SUSPECTED_SECONDS = 5.0
FIRST_SECONDS = 300.0
# An organisation's workspaces end together, and each may wait seconds for Stripe.
PORTION = 100

Disconnect = Callable[[str, int], Awaitable[Disconnected]]
"""Erases a workspace's tokens and key, unless its installation has changed since that generation."""


@dataclass
class Suspicion:
    told: bool
    """By an event: then one refusal is enough."""
    refusals: int = 0
    next_at: float = 0.0


class Endings:
    """``now`` is in seconds; ``on_expired`` is told of a token that ended before it was renewed."""

    def __init__(
        self,
        workspaces: Workspaces,
        disconnect: Disconnect,
        *,
        on_expired: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workspaces = workspaces
        self._disconnect = disconnect
        self._on_expired = on_expired
        self._now = now
        self._suspected: dict[str, Suspicion] = {}
        self._ask_at: dict[str, float] = {}
        self._log = structlog.get_logger("bot.workspaces.endings")

    def hear(self, team_id: str, code: str | None) -> None:
        """Take what Slack answered to any call of the workspace's."""
        if code in ENDED:
            self._suspected.setdefault(team_id, Suspicion(told=False))
        elif code == "token_expired":
            self._on_expired()

    def tell(self, team_id: str, enterprise_id: str | None) -> None:
        """An event says that the app was removed, or tokens revoked."""
        if enterprise_id is not None:
            self._workspaces.grants.forget(enterprise_id)
        for workspace in self._workspaces:
            one = workspace.installation
            of_enterprise = (
                one.for_enterprise and enterprise_id is not None and one.enterprise_id == enterprise_id
            )
            if one.team_id == team_id or of_enterprise:
                self._suspected[one.team_id] = Suspicion(told=True)

    def tell_regranted(self, team_id: str, enterprise_id: str) -> None:
        """An event says that administrators of its organisation may have taken the app away from it."""
        self._workspaces.grants.forget(enterprise_id)
        workspace = self._workspaces.find(team_id)
        if workspace is not None and workspace.installation.enterprise_id == enterprise_id:
            self._suspected[team_id] = Suspicion(told=True)

    async def look(self) -> None:
        """Ask Slack about those that are suspected, and about each one every hour. Raises DatabaseUnavailable."""
        now = self._now()
        due = [team_id for team_id, one in self._suspected.items() if one.next_at <= now]
        due += [team_id for team_id in self._due_hourly(now) if team_id not in self._suspected]
        if due:
            # Another process may have renewed the token, or erased it.
            await self._workspaces.refresh()
        found = {team_id: self._workspaces.find(team_id) for team_id in due[:PORTION]}
        for team_id, workspace in found.items():
            if workspace is None:
                self._suspected.pop(team_id, None)
        there = [one for one in found.values() if one is not None and one.generation]
        await few_at_once(there, lambda workspace: self._ask(workspace, now))

    def _due_hourly(self, now: float) -> list[str]:
        there = {workspace.team_id for workspace in self._workspaces if workspace.generation}
        self._ask_at = {
            team_id: self._ask_at.get(team_id, now + random.uniform(0, FIRST_SECONDS))  # noqa: S311 - spreads requests
            for team_id in there
        }
        return [team_id for team_id, at in self._ask_at.items() if at <= now]

    async def _ask(self, workspace: Workspace, now: float) -> None:
        team_id = workspace.team_id
        self._ask_at[team_id] = now + EACH_SECONDS * random.uniform(0.9, 1.1)  # noqa: S311
        suspicion = self._suspected.get(team_id)
        code = await self._refusal(
            workspace, GRANTS_SECONDS if suspicion is None else GRANTS_SUSPECTED_SECONDS
        )
        if code not in ENDED:
            # Slack takes it, or takes it no more for another reason that passes.
            if suspicion is not None and code in UNDECIDED:
                suspicion.next_at = now + AWAY_SECONDS
            else:
                self._suspected.pop(team_id, None)
            return
        suspicion = suspicion or self._suspected.setdefault(team_id, Suspicion(told=False))
        suspicion.refusals += 1
        suspicion.next_at = now + AGAIN_SECONDS
        if suspicion.told or suspicion.refusals >= REFUSALS:
            done = await self._disconnect(team_id, workspace.generation)
            self._suspected.pop(team_id, None)
            if done.erased.tokens:
                self._log.warning("installation.erased", team=team_id, code=code)
            await self._workspaces.refresh()

    async def _refusal(self, workspace: Workspace, within: float) -> str | None:
        """Slack's word for why it refuses the token there; None if it takes it, empty if it can't be asked."""
        one = workspace.installation
        try:
            await workspace.client.auth_test()
            if not one.for_enterprise or one.enterprise_id is None:
                return None
            granted = await self._workspaces.grants.list(one.enterprise_id, workspace.client, within)
        except SlackApiError as error:
            return code_of(error) or ""
        except UNANSWERED:
            return ""
        return None if one.team_id in granted else NOT_GRANTED
