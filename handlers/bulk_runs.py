"""Bulk runs: starting one, trying again what failed, and looking at what became of it."""

from domain.errors import AmountsChanged, SelectionChanged
from domain.summaries import Actor
from handlers import bulk_listing
from handlers.bolt.context import Office
from handlers.bolt.modals import Place, open_modal, update
from handlers.bolt.payload import Delivery
from handlers.progress import follow_run, wait_until_final
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
