"""Importing invoices from a file: bring it in, see what would happen, say that it shall.

Fetching and reading take longer than Slack waits, so a submission is answered with a view that says so, and that view is
updated. Closing it stops nothing that was acknowledged with Import; before that nothing has happened.
"""

from collections.abc import Awaitable

from slack_sdk.web.async_client import AsyncWebClient

from domain.errors import PaylinkError
from domain.imports.summaries import ImportAnswers, ImportPreview, ImportQuestion
from domain.states import Right
from domain.summaries import Actor
from handlers import ids
from handlers.bolt import context
from handlers.bolt.context import Office
from handlers.bolt.failures import explain, tell
from handlers.bolt.files import READ, fetch
from handlers.bolt.modals import Place, show_modal, update
from handlers.bolt.payload import Delivery, chosen, dig, text_at
from handlers.references import read_id
from handlers.rejections import NoFileChosen, Unreadable
from handlers.views import imports
from handlers.views.blocks import Json
from handlers.views.import_result import progress
from handlers.words.imports import ASKED, DATE_ORDERS, DECIMAL_SIGNS


async def open_form(office: Office, delivery: Delivery) -> None:
    """Import Invoices on Home, and `/invoices import`."""

    async def made() -> Json:
        await office.desk.check(delivery.actor, Right.IMPORT)
        await office.people.require_scope(delivery.actor, READ)
        return imports.form()

    await show_modal(office, delivery, made())


async def submit_file(office: Office, delivery: Delivery) -> Json:
    """Preview, on the form: the file is read once Slack has its answer."""
    files = dig(delivery.shown.state_of(ids.IMPORT_FILE, ids.IMPORT_FILE), "files")
    file = files[0] if isinstance(files, list) and files else None
    file_id = text_at(file, "id")
    if not file_id:
        raise NoFileChosen

    async def found() -> ImportPreview | ImportQuestion:
        await office.desk.check(delivery.actor, Right.IMPORT)
        await office.people.require_scope(delivery.actor, READ)
        name, content = await fetch(delivery.client, file_id)
        import_id = await office.desk.bring_in(delivery.actor, name, content)
        return await office.desk.preview_import(delivery.actor, import_id)

    office.track(_show_found(office, delivery, found()))
    return {"response_action": "update", "view": imports.reading(text_at(file, "name"))}


async def submit_answers(office: Office, delivery: Delivery) -> Json:
    """Preview, where something was asked."""
    import_id = read_id(delivery.shown.private_metadata)
    answers = _answers(delivery, import_id)

    async def found() -> ImportPreview | ImportQuestion:
        return await office.desk.answer_import(delivery.actor, import_id, answers)

    office.track(_show_found(office, delivery, found()))
    return {"response_action": "update", "view": imports.reading("")}


async def choose_columns(office: Office, delivery: Delivery) -> None:
    """Choose Columns, on a preview of a file whose heading somebody has explained before."""
    asked = await office.desk.question_import(delivery.actor, read_id(delivery.value))
    place = Place(delivery.shown.id, delivery.shown.hash)
    await update(office.log, delivery.client, place, imports.question(asked))


async def start(office: Office, delivery: Delivery) -> Json:
    """Import: acknowledged only once it is committed that it happens. Submitted twice, it happens once."""
    await office.people.require_scope(delivery.actor, READ)
    import_id = read_id(delivery.shown.private_metadata)
    view_id = delivery.shown.id
    standing = await office.desk.start_import(delivery.actor, import_id, view_id=view_id)
    office.watch(follow_import(office, delivery.client, delivery.actor, import_id, view_id))
    return {"response_action": "update", "view": progress(standing)}


async def follow_import(
    office: Office, client: AsyncWebClient, actor: Actor, import_id: int, view_id: str
) -> None:
    """Keep a progress modal up to date until it shows the end or is closed. It may be called again at any time."""
    shown: Json | None = None
    actor = actor.unasked
    for seconds in context.PAUSES:
        try:
            standing = await office.desk.get_import(actor, import_id)
        except PaylinkError as error:
            office.log.info("progress.not_read", error=type(error).__name__)
        else:
            view = progress(standing)
            if view != shown:
                place = await update(office.log, client, Place(view_id), view)
                if place is None:
                    return
                shown = None if place.stale else view
            if standing.final and shown is not None:
                return
        await office.pause(seconds)


async def _show_found(
    office: Office,
    delivery: Delivery,
    finding: Awaitable[ImportPreview | ImportQuestion],
) -> None:
    """In the view that was submitted; if nothing is found, why, and the form again."""
    words = None
    try:
        found = await finding
        view = imports.preview(found) if isinstance(found, ImportPreview) else imports.question(found)
    except Exception as error:
        words = explain(office.log, error)
        view = imports.form(said=words)
    place = await update(office.log, delivery.client, Place(delivery.shown.id), view)
    if words and (place is None or place.stale):
        await tell(office, delivery, words)


def _answers(delivery: Delivery, import_id: int) -> ImportAnswers:
    """Raises Unreadable for what no option of ours carries."""
    columns: list[tuple[str, int]] = []
    currency = ""
    for name in ASKED:
        value = _chosen(delivery, import_id, name, f"{ids.IMPORT_COLUMN}_{name}")
        if value.startswith(imports.FIXED) and name == "currency":
            currency = value.removeprefix(imports.FIXED)
        elif value:
            columns.append((name, read_id(value)))
    sign = _chosen(delivery, import_id, ids.IMPORT_DECIMAL_SIGN, ids.IMPORT_DECIMAL_SIGN)
    order = _chosen(delivery, import_id, ids.IMPORT_DATE_ORDER, ids.IMPORT_DATE_ORDER)
    if sign not in ("", *DECIMAL_SIGNS) or order not in ("", *DATE_ORDERS):
        raise Unreadable("answers")
    return ImportAnswers(tuple(columns), sign, order, currency)


def _chosen(delivery: Delivery, import_id: int, name: str, action_id: str) -> str:
    return chosen(delivery.shown.state_of(imports.block_of(import_id, name), action_id))
