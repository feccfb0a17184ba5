"""Who somebody is, asked of Slack (domain/rights/people.py has the port)."""

from collections.abc import Callable
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from domain.errors import OrganisationUnknown, StandingUnknown
from domain.states import Standing
from domain.summaries import Actor
from handlers.bolt.answers import slack_code
from handlers.bolt.payload import dig, listed
from handlers.bolt.remembering import Memory, Silence
from handlers.rejections import ScopeMissing

_NOT_TO_BE_ASKED = frozenset({"missing_scope", "unknown_method", "not_allowed_token_type"})
_NO_GROUP = frozenset({"no_such_subteam", "subteam_not_found"})


@dataclass(frozen=True)
class _Told:
    """``standing``: None if the token is of an installation that may not ask. ``scopes``: the bot's, None if Slack doesn't
    tell them."""

    standing: Standing | None
    scopes: frozenset[str] | None = None


class SlackPeople:
    def __init__(self, client_of: Callable[[str], AsyncWebClient | None]) -> None:
        """``client_of`` gives the client whose token is that workspace's; None for one that isn't served."""
        self._client_of = client_of
        self._people: Memory[Actor, _Told] = Memory(self._ask_who)
        self._groups: Memory[tuple[str, str], frozenset[str]] = Memory(self._ask_group)

    async def get_standing(self, actor: Actor) -> Standing:
        told = await self._recall(actor)
        # As it was before anybody was asked for.
        return told.standing or Standing.MEMBER

    async def belongs(self, actor: Actor) -> bool:
        """Whether Slack says that they are of the workspace; False if it may not be asked. Raises StandingUnknown."""
        told = await self._recall(actor)
        return told.standing not in (None, Standing.STRANGER, Standing.DEACTIVATED)

    async def find_in_group(self, actor: Actor, group: str) -> bool | None:
        try:
            return actor.user_id in await self._groups.recall((actor.team_id, group))
        except Silence:
            return None

    async def require_scope(self, actor: Actor, scope: str) -> None:
        """For what only people may do who are known. Raises StandingUnknown, and ScopeMissing if it is known that the bot's
        token lacks it, or may not ask who somebody is."""
        told = await self._recall(actor)
        lacking = "users:read" if told.standing is None else scope
        if told.standing is None or (told.scopes is not None and scope not in told.scopes):
            # Whoever installed it again meanwhile isn't kept waiting.
            self._people.forget(actor)
            raise ScopeMissing(lacking)

    def _client(self, team_id: str) -> AsyncWebClient:
        client = self._client_of(team_id)
        if client is None:
            raise OrganisationUnknown(team_id)
        return client

    async def _recall(self, actor: Actor) -> _Told:
        try:
            return await self._people.recall(actor)
        except Silence as silence:
            raise StandingUnknown from silence

    async def _ask_who(self, actor: Actor) -> _Told:
        try:
            answer = await self._client(actor.team_id).users_info(user=actor.user_id)
        except SlackApiError as error:
            if slack_code(error) in _NOT_TO_BE_ASKED:
                return _Told(None)
            raise
        told = str(answer.headers.get("x-oauth-scopes") or "")
        scopes = frozenset(scope.strip() for scope in told.split(",")) if told else None
        return _Told(_standing_of(dig(answer.data, "user"), actor), scopes)

    async def _ask_group(self, named: tuple[str, str]) -> frozenset[str]:
        team_id, group = named
        try:
            answer = await self._client(team_id).usergroups_users_list(usergroup=group, team_id=team_id)
        except SlackApiError as error:
            if slack_code(error) in _NO_GROUP:
                return frozenset()
            raise
        return frozenset(one for one in listed(dig(answer.data, "users")) if isinstance(one, str))


def _standing_of(user: object, actor: Actor) -> Standing:
    """Whoever isn't clearly more is less (Slack docs: reference/objects/user-object)."""
    if dig(user, "deleted") is True:
        return Standing.DEACTIVATED
    own = {dig(user, "team_id"), *listed(dig(user, "enterprise_user", "teams"))}
    if dig(user, "is_stranger") is True or actor.team_id not in own:
        return Standing.STRANGER
    if dig(user, "is_restricted") is not False or dig(user, "is_ultra_restricted") is True:
        return Standing.GUEST
    if any(dig(user, name) is True for name in ("is_admin", "is_owner", "is_primary_owner")):
        return Standing.ADMINISTRATOR
    return Standing.MEMBER
