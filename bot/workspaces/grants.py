"""Which workspaces of an Enterprise Grid organisation were given the app, by Slack's own word (docs.slack.dev/reference/methods/auth.teams.list).

Its token works on when one of them is taken out, and says nothing of it.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from slack_sdk.web.async_client import AsyncWebClient

PAGE = 100
# More than Slack has workspaces in any organisation: whoever is asked for ever is given up.
MOST_PAGES = 100


async def fetch_teams(client: AsyncWebClient) -> dict[str, str]:
    """All workspaces that the client's token is for: their names by their ids. Raises SlackApiError, UNANSWERED (ValueError for what is
    no end)."""
    teams: dict[str, str] = {}
    cursor = ""
    for _ in range(MOST_PAGES):
        page = await client.auth_teams_list(cursor=cursor or None, limit=PAGE)
        for team in page.get("teams") or []:
            if isinstance(found := team.get("id"), str):
                teams[found] = str(team.get("name") or "")
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return teams
    raise ValueError("auth.teams.list has no end")


class Grants:
    """What was told lately is told again: there may be hundreds of workspaces in an organisation. ``now`` is in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._told: dict[str, tuple[float, Mapping[str, str]]] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def list(self, enterprise_id: str, client: AsyncWebClient, within: float) -> Mapping[str, str]:
        """What Slack said within so many seconds, or says now. Raises as ``fetch_teams`` does."""
        async with self._asking[enterprise_id]:
            at, told = self._told.get(enterprise_id, (float("-inf"), {}))
            now = self._now()
            if now - at >= within:
                told = await fetch_teams(client)
                self._told[enterprise_id] = (now, told)
            return told

    def forget(self, enterprise_id: str) -> None:
        """It has changed since."""
        self._told.pop(enterprise_id, None)
