"""Download: what the list shows, or the invoices of a bulk run, as one direct message with its file (scope files:write)."""

import asyncio
import tempfile
from collections.abc import AsyncIterator

from slack_sdk.errors import SlackApiError

from domain.files.exports import Format
from domain.lists.summaries import SelectionSummary
from handlers.bolt.answers import slack_code
from handlers.bolt.context import Exports, Office
from handlers.bolt.failures import explain, tell, with_notice
from handlers.bolt.files import share, upload
from handlers.bolt.modals import Place, push_modal, update
from handlers.bolt.payload import Delivery
from handlers.features.bulk_listing import reference_of, shown_list
from handlers.references import read_id
from handlers.rejections import NoFilesHere
from handlers.views import download
from handlers.views.blocks import Json
from handlers.words.sentences import FILTERS
from handlers.words.text import counted, escaped

NOT_ALLOWED = (
    "Paylink lacks the permission files:write in Slack, so it can't send files. Ask an administrator to install it "
    "again with that scope; `paylink doctor` says what is missing."
)
_NAMES = {Format.XLSX: "Excel", Format.CSV: "CSV"}


async def choose_for_list(office: Office, delivery: Delivery) -> None:
    """Download, on the list."""

    async def made() -> Json:
        _exports(office)
        reference = reference_of(delivery.shown)
        page = await shown_list(office, delivery, reference)
        return download.of_list(f"All pages of the list: {_narrowed(page.selection)}.", reference)

    await push_modal(office, delivery, made())


async def choose_for_run(office: Office, delivery: Delivery) -> None:
    """Download, on the result of a bulk run."""

    async def made() -> Json:
        _exports(office)
        run = await office.desk.get_result(delivery.actor, read_id(delivery.value))
        return download.of_run(f"The {counted(len(run.items), 'invoice')} of this bulk run.", run.id)

    await push_modal(office, delivery, made())


async def list_as_excel(office: Office, delivery: Delivery) -> None:
    await _send_list(office, delivery, Format.XLSX)


async def list_as_csv(office: Office, delivery: Delivery) -> None:
    await _send_list(office, delivery, Format.CSV)


async def run_as_excel(office: Office, delivery: Delivery) -> None:
    await _send_run(office, delivery, Format.XLSX)


async def run_as_csv(office: Office, delivery: Delivery) -> None:
    await _send_run(office, delivery, Format.CSV)


async def _send_list(office: Office, delivery: Delivery, format: Format) -> None:
    """What the list shows with the filter and search that are applied, over all its pages."""
    exports = _exports(office)
    selection = (await shown_list(office, delivery, reference_of(delivery.shown))).selection
    pieces = exports.export_list(
        delivery.actor, filter=selection.filter, search=selection.search, format=format
    )
    words = f"Billing invoices as {_NAMES[format]}: {_narrowed(selection)}."
    await _send(office, delivery, pieces, f"billing-invoices.{format}", words)


async def _send_run(office: Office, delivery: Delivery, format: Format) -> None:
    run_id = read_id(delivery.value)
    pieces = _exports(office).export_run(delivery.actor, run_id, format=format)
    words = f"The invoices of your bulk run as {_NAMES[format]}."
    await _send(office, delivery, pieces, f"bulk-run-{run_id}.{format}", words)


def _exports(office: Office) -> Exports:
    if office.export is None:
        raise NoFilesHere
    return office.export


def _narrowed(selection: SelectionSummary) -> str:
    searched = f', search "{selection.search}"' if selection.search else ""
    return f"{FILTERS[selection.filter]}{searched}"


async def _send(
    office: Office, delivery: Delivery, pieces: AsyncIterator[bytes], name: str, words: str
) -> None:
    """The modal says that it is being made, then where it is, or why it isn't and offers the choice again."""
    shown = Place(delivery.shown.id, delivery.shown.hash)
    place = await update(office.log, delivery.client, shown, download.on_its_way(name))
    try:
        with tempfile.TemporaryFile() as file:
            async for piece in pieces:
                await asyncio.to_thread(file.write, piece)
            file_id = await upload(delivery.client, file, name)
        await share(delivery.client, delivery.actor.user_id, file_id, name, escaped(words))
    except Exception as error:
        if isinstance(error, SlackApiError) and slack_code(error) == "missing_scope":
            office.log.warning("download.not_allowed")
            said: str | None = NOT_ALLOWED
        else:
            said = explain(office.log, error)
        if place is not None:
            place = await update(office.log, delivery.client, place, with_notice(delivery.shown, said or ""))
        if place is None or place.stale:
            await tell(office, delivery, said or "")
        return
    if place is not None:
        await update(office.log, delivery.client, place, download.sent(name))
