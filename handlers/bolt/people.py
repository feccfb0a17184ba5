"""What Slack says of who somebody is: asked, and remembered for a while."""

import asyncio
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from domain.summaries import Actor
from handlers.bolt.answers import SLACK_AWAY, slack_code
from handlers.bolt.payload import dig
from handlers.rejections import Guest, ScopeMissing, StandingUnknown

FRESH = 300.0
HOLDS = 3600.0
"""Seconds for which an answer is as good as asking, and for which it holds while Slack can't say."""
PATIENCE = 1.5
"""Seconds: an acknowledgement may wait for it."""
MOST = 10_000


@dataclass(frozen=True)
class Standing:
    """Somebody in their workspace; ``scopes`` are the bot's, None if Slack doesn't tell them."""

    guest: bool
    scopes: frozenset[str] | None
    asked_at: float


class People:
    def __init__(self) -> None:
        self._known: dict[Actor, Standing] = {}

    async def require_member(self, client: AsyncWebClient, actor: Actor, scope: str) -> None:
        """Raises Guest, StandingUnknown, and ScopeMissing if it is known that the bot's token lacks ``scope``."""
        standing = await self._standing(client, actor)
        if standing.guest:
            raise Guest
        if standing.scopes is not None and scope not in standing.scopes:
            # Whoever installed it again meanwhile isn't kept waiting.
            self._known.pop(actor, None)
            raise ScopeMissing(scope)

    async def _standing(self, client: AsyncWebClient, actor: Actor) -> Standing:
        now = asyncio.get_running_loop().time()
        known = self._known.get(actor)
        if known is not None and now - known.asked_at < FRESH:
            return known
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await client.users_info(user=actor.user_id)
        except (SlackApiError, *SLACK_AWAY) as error:
            if isinstance(error, SlackApiError) and slack_code(error) == "missing_scope":
                raise ScopeMissing("users:read") from error
            if known is not None and now - known.asked_at < HOLDS:
                return known
            raise StandingUnknown from error
        user = dig(answer.data, "user")
        told = str(answer.headers.get("x-oauth-scopes") or "")
        scopes = frozenset(scope.strip() for scope in told.split(",")) if told else None
        standing = Standing(_is_guest(user, actor), scopes, now)
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[actor] = standing
        return standing


def _is_guest(user: object, actor: Actor) -> bool:
    """People of connected workspaces are none of this one's members either."""
    restricted = dig(user, "is_restricted") is not False or dig(user, "is_ultra_restricted") is True
    return restricted or dig(user, "is_stranger") is True or dig(user, "deleted") is True
