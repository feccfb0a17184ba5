"""A bulk run's modal while the run goes on. Closing it stops nothing, and the direct message tells the result anyway."""

from slack_sdk.web.async_client import AsyncWebClient

from domain.errors import PaylinkError
from domain.summaries import Actor, BulkItem
from handlers.bolt.context import Office
from handlers.bolt.modals import Place, update
from handlers.views.result import result

EVERY = 1.5
"""Seconds between two updates of a view, so that Slack's limits are never met."""
LATER = 15.0
SOON = 60
"""How many looks at the first pace; after them the run waits for Stripe, and so does the view."""
AT_MOST = 240


async def follow_run(office: Office, client: AsyncWebClient, actor: Actor, run_id: int, view_id: str) -> None:
    """Keep a result modal up to date until it shows the final result or is closed. It may be called again at any time."""
    shown: tuple[BulkItem, ...] | None = None
    for look in range(AT_MOST):
        try:
            if await office.desk.is_followed(actor, run_id, view_id):
                return
            run = await office.desk.get_result(actor, run_id)
        except PaylinkError as error:
            office.log.info("progress_not_read", error=type(error).__name__)
        else:
            if run.items != shown:
                place = await update(office.log, client, Place(view_id), result(run))
                if place is None:
                    return
                shown = None if place.stale else run.items
            if run.final and run.items == shown:
                return
        await office.pause(EVERY if look < SOON else LATER)


async def wait_until_final(office: Office, actor: Actor, run_id: int) -> bool:
    """False if the run takes longer than anybody looks."""
    for look in range(AT_MOST):
        try:
            if (await office.desk.get_result(actor, run_id)).final:
                return True
        except PaylinkError as error:
            office.log.info("progress_not_read", error=type(error).__name__)
        await office.pause(EVERY if look < SOON else LATER)
    return False
