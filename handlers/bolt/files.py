"""Files on their way to Slack's file store and back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.bolt.answers import slack_code
from handlers.bolt.payload import dig, text_at
from handlers.rejections import FileNotFetched, ScopeMissing

LARGEST = 10 * 1024 * 1024
"""Bytes of a file that somebody brings in: Slack's own limit of a file in a form."""
READ = "files:read"
_GONE = frozenset({"file_not_found", "file_deleted"})
_SECONDS = 300
_PIECE = 1 << 16
_SLACKS = ("slack.com", "slack-files.com")
_HTML = (b"<!doctype html", b"<html")


class NotUploaded(Exception):
    """Slack's file store didn't take the file; ``args[0]`` is the HTTP status."""


async def upload(client: AsyncWebClient, file: IO[bytes], name: str) -> str:
    """The file's id. In steps, so that the file is never in memory as a whole (Slack docs: files.getUploadURLExternal)."""
    length = file.tell()
    file.seek(0)
    place = await client.files_getUploadURLExternal(filename=name, length=length)
    await post_bytes(client, text_at(place.data, "upload_url"), file)
    return text_at(place.data, "file_id")


async def share(client: AsyncWebClient, user_id: str, file_id: str, name: str, words: str) -> None:
    """One message with its file, in the person's direct messages: in ``channels`` Slack takes a person's id, and opens
    them without any further scope (Slack docs: files.completeUploadExternal). Raises NotUploaded."""
    done = await client.files_completeUploadExternal(
        files=[{"id": file_id, "title": name}], channels=[user_id], initial_comment=words
    )
    if not dig(done.data, "files"):
        raise NotUploaded("completed without a file")


async def fetch(client: AsyncWebClient, file_id: str) -> tuple[str, bytes]:
    """The name and the bytes of a file that somebody put into a form. Raises FileNotFetched, ScopeMissing, and as
    Slack's calls do.

    What a payload says of the file is passed over: of files of connected workspaces it says nothing, and it may be forged.
    """
    try:
        answer = await client.files_info(file=file_id)
    except SlackApiError as error:
        code = slack_code(error)
        if code == "missing_scope":
            raise ScopeMissing(READ) from error
        if code not in _GONE:
            raise
        raise FileNotFetched(code) from error
    url = text_at(answer.data, "file", "url_private_download") or text_at(answer.data, "file", "url_private")
    size = dig(answer.data, "file", "size")
    if isinstance(size, int) and size > LARGEST:
        raise FileNotFetched("too_large")
    if not isinstance(size, int) or not _is_slacks(url, client.base_url):
        # The token goes with the request.
        raise FileNotFetched("not_slacks")
    if size == 0:
        raise FileNotFetched("empty")
    return text_at(answer.data, "file", "name"), await _get_bytes(client, url, size)


def _is_slacks(url: str, base_url: str) -> bool:
    """Whether it is Slack's own place, over TLS; or the configured Slack's."""
    place, configured = urlsplit(url), urlsplit(base_url)
    if (place.scheme, place.netloc) == (configured.scheme, configured.netloc):
        return True
    host = place.hostname or ""
    own = any(host == name or host.endswith(f".{name}") for name in _SLACKS)
    return place.scheme == "https" and own and place.username is None and place.port in (None, 443)


async def _get_bytes(client: AsyncWebClient, url: str, size: int) -> bytes:
    content = bytearray()
    async with (
        _session(client) as session,
        session.get(
            url,
            headers={"Authorization": f"Bearer {client.token}"},
            # It would lead to a page to sign in, or the token away.
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=_SECONDS),
            proxy=client.proxy,
            ssl=client.ssl or True,
        ) as answer,
    ):
        if answer.status in (301, 302, 303, 307, 308):
            raise ScopeMissing(READ)
        if answer.status != 200:
            raise FileNotFetched(f"http_{answer.status}")
        async for piece in answer.content.iter_chunked(_PIECE):
            content += piece
            if len(content) > LARGEST:
                raise FileNotFetched("too_large")
    if len(content) != size:
        # Status 200 and a page to sign in: the token may not read files (docs/facts/slack.md, files).
        signed_out = bytes(content[:200]).lstrip().lower().startswith(_HTML)
        raise ScopeMissing(READ) if signed_out else FileNotFetched("incomplete")
    return bytes(content)


async def post_bytes(client: AsyncWebClient, url: str, file: IO[bytes]) -> None:
    """Raises NotUploaded."""
    async with (
        _session(client) as session,
        session.post(
            url,
            data=file,
            timeout=aiohttp.ClientTimeout(total=_SECONDS),
            proxy=client.proxy,
            ssl=client.ssl or True,
        ) as answer,
    ):
        if answer.status != 200:
            raise NotUploaded(answer.status)


@asynccontextmanager
async def _session(client: AsyncWebClient) -> AsyncIterator[aiohttp.ClientSession]:
    """The client's, or one for this once."""
    if client.session is not None:
        yield client.session
        return
    async with aiohttp.ClientSession(trust_env=client.trust_env_in_session) as session:
        yield session
