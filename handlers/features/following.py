"""Open details modals follow their invoices: what one shows is compared with the invoice, and shown anew if it differs.

Whichever process hears of a payment, each looks at the views that the database knows of, and one of them shows it.
"""

import asyncio
from dataclasses import replace

from slack_sdk.web.async_client import AsyncWebClient

from domain.coordination.side_by_side import for_each
from domain.errors import InvoiceNotFound, NotAllowed, StandingUnknown
from domain.overview.summaries import FollowedView
from handlers.bolt.context import Office
from handlers.bolt.modals import Place, update
from handlers.features import details, home
from handlers.views.blocks import Json
from handlers.views.details import digest
from handlers.views.search import note
from handlers.words.sentences import sentence

FIRST_WAIT, LONGEST_WAIT = 5.0, 60.0
"""Seconds without an update after one that Slack didn't take: twice as long each time."""


class Followers:
    """Looks after all workspaces' views side by side; where none is open, it costs nothing."""

    def __init__(self) -> None:
        self._office: Office | None = None
        self._clients: dict[str, AsyncWebClient] = {}
        self._followers: dict[str, Follower] = {}

    def begin(self, office: Office) -> None:
        self._office = office

    def put(self, team_id: str, client: AsyncWebClient) -> None:
        """Look after this workspace's from now on; the client's token is its own."""
        self._clients[team_id] = client
        self._followers.pop(team_id, None)

    def drop(self, team_id: str) -> None:
        self._clients.pop(team_id, None)
        self._followers.pop(team_id, None)

    async def look(self) -> None:
        """Raises DatabaseUnavailable."""
        if self._office is not None:
            await for_each(self._open, Follower.look)

    async def _open(self) -> list["Follower"]:
        office = self._office
        assert office is not None
        await office.desk.write_down_followed()
        open_in = await office.desk.list_followed_teams() & self._clients.keys()
        for team_id in self._followers.keys() - open_in:
            del self._followers[team_id]
        for team_id in open_in - self._followers.keys():
            self._followers[team_id] = Follower(office, self._clients[team_id], team_id)
        return list(self._followers.values())


class Follower:
    """Looks after one workspace's views, with a client whose token is that workspace's."""

    def __init__(self, office: Office, client: AsyncWebClient, team_id: str) -> None:
        self._office = office
        self._client = client
        self._team_id = team_id
        self._wait = 0.0
        self._not_before = 0.0

    async def look(self) -> None:
        """Once over all of them, and over the Homes that are open. Raises DatabaseUnavailable; Slack's troubles are its own."""
        await home.look_again(self._office, self._client, self._team_id)
        if asyncio.get_running_loop().time() < self._not_before:
            return
        for view in await self._office.desk.list_followed(self._team_id):
            try:
                shown = await self._made(view)
            except InvoiceNotFound:
                await self._office.desk.forget_view(view)
                continue
            except StandingUnknown:
                continue
            except NotAllowed as refusal:
                await self._office.desk.forget_view(view)
                said = note(str(sentence(refusal)))
                await update(self._office.log, self._client, Place(view.view_id), said)
                continue
            if digest(shown) != view.shown.partition(".")[0] and not await self._show(view, shown):
                return

    async def _show(self, view: FollowedView, shown: Json) -> bool:
        """Show it unless another process does; False if Slack takes nothing right now."""
        desk, hash_ = self._office.desk, view.shown.partition(".")[2]
        claimed = details.mark(Place(view.view_id, shown=shown))
        if not await desk.mark_followed(view, claimed):
            return True
        before, view = view.shown, replace(view, shown=claimed)
        place = await update(
            self._office.log,
            self._client,
            Place(view.view_id, hash_),
            shown,
            again=lambda: self._made(view),
        )
        if place is None:
            await desk.forget_view(view)
        elif place.stale:
            await desk.mark_followed(view, before)
            self._wait = min(max(2 * self._wait, FIRST_WAIT), LONGEST_WAIT)
            self._not_before = asyncio.get_running_loop().time() + self._wait
            return False
        else:
            await desk.mark_followed(view, details.mark(place))
        self._wait = 0.0
        return True

    async def _made(self, view: FollowedView) -> Json:
        found = await self._office.desk.get_details(view.actor.unasked, view.invoice_id)
        return details.present(found) | {"private_metadata": view.carried}
