"""Who somebody is: the port through which it is asked of Slack."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from domain.states import Standing
from domain.summaries import Actor


@dataclass(frozen=True)
class Known:
    """What Slack says of somebody. ``groups``: by a user group's id whether they are in it, of those that were asked for;
    None if that can't be known."""

    standing: Standing
    groups: Mapping[str, bool | None] = field(default_factory=dict)

    def with_group(self, group: str, is_in: bool | None) -> Self:
        return replace(self, groups={**self.groups, group: is_in})


class People(Protocol):
    """What was said a moment ago is as good as asking: five minutes at most, an hour while Slack doesn't answer."""

    async def get_standing(self, actor: Actor) -> Standing:
        """Raises StandingUnknown. Whoever can't be asked for at all, since the token is an older one, is a member."""

    async def find_in_group(self, actor: Actor, group: str) -> bool | None:
        """Whether they are in the user group; None if that can't be known."""


class AllMembers:
    """Where there is no Slack to ask: who comes in is a member."""

    async def get_standing(self, actor: Actor) -> Standing:
        return Standing.MEMBER

    async def find_in_group(self, actor: Actor, group: str) -> bool | None:
        return None
