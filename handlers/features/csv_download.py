"""Download CSV: a file in a direct message (scope files:write)."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import IO

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.bolt.context import Office
from handlers.bolt.failures import SLACK_AWAY, slack_code, tell
from handlers.bolt.payload import Delivery, dig, text_at
from handlers.features.bulk_listing import reference_of, shown_list
from handlers.references import read_id
from handlers.words.sentences import STATUSES
from handlers.words.text import escaped

NOT_HERE = "CSV files can't be made here. Ask whoever runs Paylink for `paylink export`."

NOT_ALLOWED = (
    "Paylink lacks the permission files:write in Slack, so it can't send files. Ask an administrator to install it "
    "again with that scope; `paylink doctor` says what is missing."
)


class NotUploaded(Exception):
    """Slack's file store didn't take the file; ``args[0]`` is the HTTP status."""


async def download_list(office: Office, delivery: Delivery) -> None:
    """What the list shows with the filter and search that are applied, over all its pages."""
    if office.export is None:
        await tell(office, delivery, NOT_HERE)
        return
    reference = reference_of(delivery.shown)
    page = await shown_list(office, delivery, reference)
    status, search = page.selection.filter, page.selection.search
    rows = office.export.export_list(delivery.actor, filter=status, search=search)
    searched = f', search "{search}"' if search else ""
    words = f"Billing invoices as CSV: {STATUSES[status] if status else 'All'}{searched}."
    await _send(office, delivery, rows, "billing-invoices.csv", words)


async def download_run(office: Office, delivery: Delivery) -> None:
    """The invoices of a bulk run."""
    if office.export is None:
        await tell(office, delivery, NOT_HERE)
        return
    run_id = read_id(delivery.value)
    rows = office.export.export_run(delivery.actor, run_id)
    await _send(office, delivery, rows, f"bulk-run-{run_id}.csv", "The invoices of your bulk run as CSV.")


async def _send(
    office: Office, delivery: Delivery, rows: AsyncIterator[bytes], name: str, words: str
) -> None:
    try:
        with tempfile.TemporaryFile() as file:
            async for piece in rows:
                await asyncio.to_thread(file.write, piece)
            file_id = await _upload(delivery.client, file, name)
        await _share(office, delivery, {"id": file_id, "title": name}, words)
    except SlackApiError as error:
        if slack_code(error) != "missing_scope":
            raise
        office.log.warning("csv.not_allowed")
        await tell(office, delivery, NOT_ALLOWED)


async def _upload(client: AsyncWebClient, file: IO[bytes], name: str) -> str:
    """The file's id. In steps, so that the file is never in memory as a whole (Slack docs: files.getUploadURLExternal)."""
    length = file.tell()
    file.seek(0)
    place = await client.files_getUploadURLExternal(filename=name, length=length)
    await _post_bytes(client, text_at(place.data, "upload_url"), file)
    return text_at(place.data, "file_id")


async def _share(office: Office, delivery: Delivery, file: dict[str, str | None], words: str) -> None:
    """A message opens the direct conversation and tells its id, without any further scope; without a file it is taken
    back."""
    client = delivery.client
    message = await client.chat_postMessage(
        channel=delivery.actor.user_id, text=escaped(words), unfurl_links=False, unfurl_media=False
    )
    channel = text_at(message.data, "channel")
    try:
        done = await client.files_completeUploadExternal(files=[file], channel_id=channel)
        if not dig(done.data, "files"):
            raise NotUploaded("completed without a file")
    except Exception:
        await _take_back(office, client, channel, text_at(message.data, "ts"))
        raise


async def _take_back(office: Office, client: AsyncWebClient, channel: str, ts: str) -> None:
    try:
        await client.chat_delete(channel=channel, ts=ts)
    except (SlackApiError, *SLACK_AWAY) as error:
        office.log.warning("message.not_taken_back", error=type(error).__name__)


async def _post_bytes(client: AsyncWebClient, url: str, file: IO[bytes]) -> None:
    timeout = aiohttp.ClientTimeout(total=300)
    session = client.session or aiohttp.ClientSession(trust_env=client.trust_env_in_session)
    try:
        async with session.post(
            url, data=file, timeout=timeout, proxy=client.proxy, ssl=client.ssl or True
        ) as answer:
            if answer.status != 200:
                raise NotUploaded(answer.status)
    finally:
        if session is not client.session:
            await session.close()
