"""Of a fake desk what views that are open need: they are followed by a clock that tests put forward."""

from dataclasses import replace

from domain.overview.summaries import (
    FollowedHome,
    FollowedView,
)
from domain.summaries import (
    Actor,
)
from tests.handlers.fake_desks.scoped import FakeHome, FakeScopedDesk


class FakeViewDesk(FakeScopedDesk):
    def follow_view(self, view: FollowedView) -> None:
        if view.invoice_id in self.invoices:
            self.followed[view.view_id] = view

    async def write_down_followed(self) -> None:
        pass

    async def follow_longer(self, actor: Actor, view_id: str) -> None:
        await self._asked(actor)

    async def list_followed_teams(self) -> frozenset[str]:
        homes = {home.actor.team_id for home in self.homes.values() if home.until > self.minutes}
        return frozenset(view.actor.team_id for view in self.followed.values()) | homes

    async def list_followed(self, team_id: str) -> tuple[FollowedView, ...]:
        return tuple(self.followed.values())

    async def mark_followed(self, view: FollowedView, shown: str) -> bool:
        if self.followed.get(view.view_id) != view:
            return False
        self.followed[view.view_id] = replace(view, shown=shown)
        return True

    async def forget_view(self, view: FollowedView) -> None:
        self.followed.pop(view.view_id, None)

    async def follow_home(self, actor: Actor, shown: str) -> None:
        await self._asked(actor)
        whose = Actor(actor.team_id, actor.user_id)
        self.homes[whose] = FakeHome(whose, shown, self.minutes + 10 / 60, self.minutes + 30)

    async def list_due_homes(self, team_id: str) -> tuple[FollowedHome, ...]:
        now = self.minutes
        due = [one for one in self.homes.values() if one.not_before <= now < one.until]
        return tuple(FollowedHome(one.actor, one.shown) for one in due if one.actor.team_id == team_id)

    async def take_home(self, home: FollowedHome) -> bool:
        kept = self.homes[home.actor]
        if kept.shown != home.shown or kept.not_before > self.minutes:
            return False
        kept.not_before = self.minutes + 10 / 60
        return True

    async def mark_home(self, home: FollowedHome, shown: str) -> None:
        self.homes[home.actor].shown = shown
