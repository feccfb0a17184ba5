"""Details modals and Homes at the desk: which are open, and what each shows, so that they can follow what it is about."""

from domain.desks.scoped import ScopedDesk
from domain.errors import DatabaseUnavailable
from domain.overview import open_homes, open_views
from domain.overview.summaries import FollowedHome, FollowedView
from domain.states import Right
from domain.summaries import Actor


class ViewDesk(ScopedDesk):
    """Nobody waits for any of it, so all of it goes behind what people wait for."""

    def follow_view(self, view: FollowedView) -> None:
        """Follow its invoice, as it shows it, for ten minutes from when it is written down. Whoever opened it has just looked, and is
        asked for again at each look."""
        self._opened[view.view_id] = view

    async def write_down_followed(self) -> None:
        """All that were opened here since the last time, together: each by itself would cost as much as showing it did."""
        if not self._opened:
            return
        opened, self._opened = self._opened, {}
        try:
            await self._db.background_write(open_views.follow, opened.values())
        except DatabaseUnavailable:
            self._opened = opened | self._opened
            raise

    async def follow_longer(self, actor: Actor, view_id: str) -> None:
        """Ten minutes from now on, if it is followed."""
        await self._background_write(Right.LOOK, actor, open_views.touch, view_id)

    async def list_followed_teams(self) -> frozenset[str]:
        """The workspaces of which at least one, or a Home, is followed: one look, however many workspaces there are."""
        return await self._db.background_read(open_views.list_teams)

    async def list_followed(self, team_id: str) -> tuple[FollowedView, ...]:
        """Those of one workspace, the latest first, 500 at most."""
        return await self._db.background_read(open_views.list_open, team_id)

    async def mark_followed(self, view: FollowedView, shown: str) -> bool:
        """Note that it shows something else; False if it doesn't show what ``view`` says any more."""
        return await self._db.background_write(self._scoped(view.actor, open_views.change), view, shown)

    async def forget_view(self, view: FollowedView) -> None:
        """It is closed."""
        await self._db.background_write(self._scoped(view.actor, open_views.forget), view.view_id)

    async def follow_home(self, actor: Actor, shown: str) -> None:
        """They opened their Home, as it shows now: follow it for half an hour."""
        await self._background_write(Right.LOOK, actor, open_homes.follow, actor.user_id, shown)

    async def list_due_homes(self, team_id: str) -> tuple[FollowedHome, ...]:
        """Those of one workspace that may be shown anew by now, the latest first, 200 at most."""
        return await self._db.background_read(open_homes.list_due, team_id)

    async def take_home(self, home: FollowedHome) -> bool:
        """Whether to publish it now: one process at most, every ten seconds at most."""
        return await self._db.background_write(self._scoped(home.actor, open_homes.take), home)

    async def mark_home(self, home: FollowedHome, shown: str) -> None:
        """Note that it shows something else."""
        await self._db.background_write(self._scoped(home.actor, open_homes.change), home, shown)
