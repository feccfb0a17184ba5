"""Open details modals follow their invoices: what one shows is compared with the invoice, and shown anew if it differs.

Whichever process hears of a payment, each looks at the views that the database knows of, and one of them shows it.
"""

import asyncio
from dataclasses import replace

from slack_sdk.web.async_client import AsyncWebClient

from domain.errors import InvoiceNotFound
from domain.overview.summaries import FollowedView
from handlers.bolt.context import Office
from handlers.bolt.modals import Place, update
from handlers.features import details, home
from handlers.views.blocks import Json
from handlers.views.details import digest

FIRST_WAIT, LONGEST_WAIT = 5.0, 60.0
"""Seconds without an update after one that Slack didn't take: twice as long each time."""


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
        found = await self._office.desk.get_details(view.actor, view.invoice_id)
        return details.present(found) | {"private_metadata": view.carried}
