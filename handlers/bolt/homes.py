"""Who has Home open, as far as Slack tells: it says when somebody opens it, and never when they leave."""

from dataclasses import dataclass

from domain.summaries import Actor

FOLLOWED_FOR = 1_800.0
"""Seconds from the last opening."""
EVERY = 10.0
"""Seconds between two publications to one person, at least."""
MOST = 200
"""People who are looked after at once; those who opened it last."""


@dataclass
class OpenHome:
    shown: str
    """Digest of what it shows."""
    not_before: float
    until: float


class Homes:
    """``now`` is the loop's time, in seconds."""

    def __init__(self) -> None:
        self._open: dict[Actor, OpenHome] = {}

    def note_opened(self, actor: Actor, shown: str, now: float) -> None:
        self._open.pop(actor, None)
        self._open[actor] = OpenHome(shown, now + EVERY, now + FOLLOWED_FOR)
        if len(self._open) > MOST:
            del self._open[next(iter(self._open))]

    def forget(self, actor: Actor) -> None:
        self._open.pop(actor, None)

    def teams(self, now: float) -> frozenset[str]:
        """The workspaces in which somebody has it open."""
        return frozenset(actor.team_id for actor, one in self._open.items() if one.until > now)

    def due(self, team_id: str, now: float) -> dict[Actor, OpenHome]:
        """Those of one workspace to whom something else may be published now."""
        for actor in [actor for actor, one in self._open.items() if one.until <= now]:
            self.forget(actor)
        return {
            actor: one
            for actor, one in self._open.items()
            if actor.team_id == team_id and one.not_before <= now
        }
