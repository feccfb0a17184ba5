"""The steps of setting up: in a modal, and what their buttons do that nothing else does."""

from domain.errors import PaylinkError
from domain.summaries import Actor
from handlers.bolt.context import Office
from handlers.bolt.modals import Place, show_modal, update
from handlers.bolt.payload import Delivery
from handlers.features import type_ahead
from handlers.views.blocks import Json
from handlers.views.setting_up import set_up


async def open_steps(office: Office, delivery: Delivery) -> None:
    """Set Up Paylink, on the message to whoever installed it."""
    await show_modal(office, delivery, made(office, delivery.actor))


async def try_invoice(office: Office, delivery: Delivery) -> None:
    await type_ahead.open_search(office, delivery)
    await note_tried(office, delivery.actor)


async def note_tried(office: Office, actor: Actor) -> None:
    """Somebody used /invoice: written down once for a workspace and process, behind what they wait for."""
    if actor.team_id in office.tried:
        return
    try:
        await office.desk.note_tried(actor)
    except PaylinkError as error:
        office.log.info("step.not_noted", error=type(error).__name__)
    else:
        office.tried.add(actor.team_id)


async def made(office: Office, actor: Actor) -> Json:
    found = await office.desk.get_set_up(actor)
    return set_up(found.steps, may=found.may, ask=found.ask)


async def redraw(office: Office, delivery: Delivery, view_id: str) -> None:
    """The steps that stand under what was just done."""
    try:
        shown = await made(office, delivery.actor)
    except PaylinkError as error:
        office.log.info("steps.not_redrawn", error=type(error).__name__)
    else:
        await update(office.log, delivery.client, Place(view_id), shown)
