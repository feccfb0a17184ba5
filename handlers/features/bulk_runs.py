"""Bulk runs: starting one, trying again what failed, and looking at what became of it.

Closing the modal of a run stops nothing, and the direct message tells the result anyway.
"""

from slack_sdk.web.async_client import AsyncWebClient

from domain.errors import AmountsChanged, PaylinkError, SelectionChanged
from domain.summaries import Actor, BulkItem
from handlers.bolt import context
from handlers.bolt.context import Office
from handlers.bolt.modals import Place, open_modal, update
from handlers.bolt.payload import Delivery
from handlers.features import bulk_listing
from handlers.references import ConfirmedReference, FailedReference, read_id
from handlers.views.blocks import Json
from handlers.views.confirmation import confirmation
from handlers.views.result import result
from handlers.words.sentences import sentence


async def create(office: Office, delivery: Delivery) -> Json:
    """Create: acknowledged only once the run is committed. The same view submitted twice begins one run."""
    view = delivery.shown
    confirmed = ConfirmedReference.read(view.private_metadata)
    selection_id = confirmed.selection_id
    try:
        run = await office.desk.start_run(
            delivery.actor,
            selection_id,
            seal=confirmed.seal,
            # A view that showed a result may show a confirmation again.
            submission=f"create:{view.id}:{selection_id}",
            view_id=view.id,
        )
    except (AmountsChanged, SelectionChanged) as error:
        shown = await office.desk.confirm(delivery.actor, selection_id)
        return {"response_action": "update", "view": confirmation(shown, said=sentence(error))}
    if view.root_view_id and view.root_view_id != view.id:
        office.track(_renew_list(office, delivery, run.id, view.root_view_id, selection_id))
    office.watch(_follow(office, delivery, run.id, view.id))
    return {"response_action": "update", "view": result(run)}


async def retry_failed(office: Office, delivery: Delivery) -> None:
    """Retry Failed: a new run in the same modal. The same click delivered twice begins one.

    If amounts have changed since they were confirmed, a confirmation shows them first.
    """
    reference = FailedReference.read(delivery.value)
    view_id = delivery.shown.id
    try:
        run = await office.desk.retry_failed(
            delivery.actor, reference.run_id, submission=reference.submission, view_id=view_id
        )
    except AmountsChanged as error:
        if not (await office.desk.get_result(delivery.actor, reference.run_id)).final:
            # What follows the run would put its progress over the confirmation.
            raise
        shown = await office.desk.confirm_failed(delivery.actor, reference.run_id)
        office.track(_show(office, delivery, confirmation(shown, said=sentence(error))))
    else:
        office.watch(_follow(office, delivery, run.id, view_id))


async def show_result(office: Office, delivery: Delivery) -> None:
    """Show Result, on the direct message."""
    run_id = read_id(delivery.value)
    place = await open_modal(office, delivery, _result(office, delivery.actor, run_id))
    if place is not None:
        office.watch(_follow(office, delivery, run_id, place.view_id))


async def _follow(office: Office, delivery: Delivery, run_id: int, view_id: str) -> None:
    await follow_run(office, delivery.client, delivery.actor, run_id, view_id)


async def _show(office: Office, delivery: Delivery, view: Json) -> None:
    await update(office.log, delivery.client, Place(delivery.shown.id), view)


async def _renew_list(
    office: Office, delivery: Delivery, run_id: int, view_id: str, selection_id: int
) -> None:
    """The list underneath: at once, and again when the run is final, though the result modal may be closed by then."""
    place, fresh_id = await bulk_listing.start_over(office, delivery, view_id, selection_id)
    if place is not None:
        office.watch(_settle_list(office, delivery, run_id, place, fresh_id))


async def _settle_list(
    office: Office, delivery: Delivery, run_id: int, place: Place, selection_id: int
) -> None:
    if await wait_until_final(office, delivery.actor, run_id):
        await bulk_listing.show_settled(office, delivery, place, selection_id)


async def _result(office: Office, actor: Actor, run_id: int) -> Json:
    return result(await office.desk.get_result(actor, run_id))


async def follow_run(office: Office, client: AsyncWebClient, actor: Actor, run_id: int, view_id: str) -> None:
    """Keep a result modal up to date until it shows the final result or is closed. It may be called again at any time."""
    shown: tuple[BulkItem, ...] | None = None
    actor = actor.unasked
    for seconds in context.PAUSES:
        try:
            if await office.desk.is_followed(actor, run_id, view_id):
                return
            run = await office.desk.get_result(actor, run_id)
        except PaylinkError as error:
            office.log.info("progress.not_read", error=type(error).__name__)
        else:
            if run.items != shown:
                place = await update(office.log, client, Place(view_id), result(run))
                if place is None:
                    return
                shown = None if place.stale else run.items
            if run.final and run.items == shown:
                return
        await office.pause(seconds)


async def wait_until_final(office: Office, actor: Actor, run_id: int) -> bool:
    """False if the run takes longer than anybody looks."""
    for seconds in context.PAUSES:
        try:
            if (await office.desk.get_result(actor.unasked, run_id)).final:
                return True
        except PaylinkError as error:
            office.log.info("progress.not_read", error=type(error).__name__)
        await office.pause(seconds)
    return False
