"""The one file that posts announcements. chat.postMessage has no idempotency key, so every failure is told apart:
certainly not posted, or perhaps posted (docs/facts/slack.md, posting once)."""

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from domain.messages.poster_port import HistoryUnreadable, NotPosted, Posted, PostUnknown
from domain.messages.summaries import Announcement
from handlers.bolt.answers import SLACK_AWAY, SLACKS_OWN, AnswerReader, http_status, slack_code, told_seconds
from handlers.bolt.files import NotUploaded, share, upload
from handlers.bolt.payload import dig, text_at
from handlers.views.blocks import Json
from handlers.views.messages import announcement_message
from handlers.words.written import speaking

EVENT_TYPE = "paylink_announcement"
REFUSED_ROWS = "refused.csv"
"""How the file of an import's rows that weren't taken is called."""
CLOCKS_DIFFER = timedelta(minutes=5)
_PAGE = 200
_PAGES = 50

# Slack docs: reference/methods/chat.postMessage, errors.
_CHANNEL_LOST = frozenset(
    "not_in_channel channel_not_found is_archived restricted_action "
    "restricted_action_read_only_channel restricted_action_thread_only_channel missing_scope "
    "no_permission ekm_access_denied team_access_not_granted user_not_found cannot_dm_bot user_disabled "
    "messages_tab_disabled".split()
)
_MESSAGE_REFUSED = frozenset(
    "invalid_blocks invalid_blocks_format msg_blocks_too_long msg_too_long no_text too_many_attachments "
    "metadata_too_large invalid_metadata_format invalid_metadata_schema metadata_must_be_sent_from_app "
    "invalid_arguments invalid_arg_name invalid_array_arg attachment_payload_limit_exceeded".split()
)
# What looking again won't change by itself; whatever isn't here is asked again, and holds up its channel meanwhile.
_HISTORY_LOST = frozenset(
    "not_in_channel missing_scope channel_not_found no_permission access_denied not_allowed_token_type "
    "ekm_access_denied team_access_not_granted restricted_action unknown_method method_deprecated "
    "method_not_supported_for_channel_type invalid_arguments thread_not_found".split()
)
# Nothing can be said with this token, wherever it is to stand.
_TOKEN_REFUSED = frozenset(
    "invalid_auth not_authed account_inactive token_revoked token_expired org_login_required "
    "two_factor_setup_required".split()
)


class SlackPoster:
    """Posts with ``client``'s token and address, and never twice for one call: it retries nothing."""

    def __init__(self, client: AsyncWebClient, *, mentions: bool = True) -> None:
        """``mentions``: whether a paid message names whoever asked for the link."""
        self._mentions = mentions
        self._client = AsyncWebClient(
            token=client.token,
            base_url=client.base_url,
            timeout=min(client.timeout, 10),
            ssl=client.ssl,
            proxy=client.proxy,
            session=client.session,
            trust_env_in_session=client.trust_env_in_session,
            logger=client.logger,
            # It retries nothing.
            retry_handlers=[one for one in client.retry_handlers if isinstance(one, AnswerReader)],
        )
        # The SDK takes a proxy from the environment where none is given.
        self._client.proxy = client.proxy

    async def post(self, announcement: Announcement) -> Posted:
        """Post once. Raises NotPosted, PostUnknown."""
        arguments = _arguments(announcement, mentions=self._mentions)
        if announcement.file is not None:
            return await self._post_file(announcement, announcement.file, text_at(arguments, "text"))
        try:
            answer = await self._client.chat_postMessage(**arguments)
        except SlackApiError as error:
            raise _judged(error, announcement) from error
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotPosted("cannot_connect") from error
        except Exception as error:  # sent, and no answer that says what became of it
            raise PostUnknown(type(error).__name__) from error
        channel, ts = text_at(answer.data, "channel"), text_at(answer.data, "ts")
        if not channel or not ts:
            raise PostUnknown("no_ts")
        return Posted(channel, ts)

    async def _post_file(self, announcement: Announcement, content: bytes, text: str) -> Posted:
        """One message with its file; without it where the bot may send none."""
        try:
            file = io.BytesIO(content)
            file.seek(0, io.SEEK_END)
            file_id = await upload(self._client, file, REFUSED_ROWS)
        except SlackApiError as error:
            if slack_code(error) == "missing_scope":
                return await self.post(replace(announcement, file=None))
            raise _judged(error, announcement) from error
        except (NotUploaded, *SLACK_AWAY) as error:
            raise NotPosted("not_uploaded") from error
        try:
            await share(self._client, announcement.destination, file_id, REFUSED_ROWS, text)
        except SlackApiError as error:
            raise _judged(error, announcement) from error
        except Exception as error:  # sent, and no answer that says what became of it
            raise PostUnknown(type(error).__name__) from error
        return Posted(announcement.destination, file_id)

    async def find(self, announcement: Announcement) -> Posted | None:
        """Look for the announcement's key from some minutes before the first attempt on: in its thread, and in the destination's
        history, where an attempt stands that was made before there was a thread.

        Raises HistoryUnreadable, or PostUnknown and NotPosted (with its retry_after) when Slack can't be asked now.
        """
        if announcement.conversation is not None:
            announcement = replace(announcement, destination=announcement.conversation)
        if not announcement.destination.startswith(("C", "G", "D")):
            raise HistoryUnreadable("not_a_channel")
        found = None if announcement.thread is None else await self._find(announcement, announcement.thread)
        return found or await self._find(announcement, None)

    async def _find(self, announcement: Announcement, thread: str | None) -> Posted | None:
        cursor: str | None = None
        for _ in range(_PAGES):
            page = await self._read(announcement, thread, cursor)
            for message in _messages(page):
                if _key_of(message) == announcement.key and text_at(message, "ts"):
                    return Posted(announcement.destination, text_at(message, "ts"))
            cursor = text_at(page, "response_metadata", "next_cursor")
            if not cursor:
                return None
        raise HistoryUnreadable("too_long")

    async def _read(self, announcement: Announcement, thread: str | None, cursor: str | None) -> Any:
        since = announcement.attempted_at
        oldest = "0" if since is None else f"{(since - CLOCKS_DIFFER).timestamp():.6f}"
        arguments: Json = {
            "channel": announcement.destination,
            "oldest": oldest,
            "limit": _PAGE,
            "cursor": cursor,
            "include_all_metadata": True,
        }
        try:
            if thread is None:
                answer = await self._client.conversations_history(**arguments)
            else:
                # A channel's history leaves out what stands in threads.
                answer = await self._client.conversations_replies(ts=thread, **arguments)
        except SlackApiError as error:
            code = slack_code(error)
            if code in _HISTORY_LOST:
                raise HistoryUnreadable(code) from error
            if _is_limited(error):
                raise NotPosted("ratelimited", retry_after=_retry_after(error)) from error
            raise PostUnknown(code) from error
        except Exception as error:
            raise PostUnknown(type(error).__name__) from error
        return answer.data


def _arguments(announcement: Announcement, *, mentions: bool) -> Json:
    """Raises NotPosted for good if nothing can be said, so that one broken row doesn't stop its channel."""
    try:
        with speaking(announcement.language):
            message = announcement_message(announcement, mentions=mentions)
    except ValueError as error:
        raise NotPosted("nothing_to_say", final=True) from error
    if announcement.thread is not None:
        message |= {"thread_ts": announcement.thread, "reply_broadcast": announcement.broadcast}
    return message | {
        "channel": announcement.destination,
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": announcement.key}},
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _judged(error: SlackApiError, announcement: Announcement) -> NotPosted | PostUnknown:
    code = slack_code(error)
    if _is_limited(error):
        return NotPosted("ratelimited", retry_after=_retry_after(error))
    if http_status(error) >= 500 or code in SLACKS_OWN or code.startswith("http_"):
        return PostUnknown(code)
    if code in _TOKEN_REFUSED:
        return NotPosted(code)
    if announcement.thread is not None:
        # Whatever it is: the same may be taken outside the thread, and the next answer tells what isn't the thread's.
        return NotPosted(code, thread_lost=True)
    channel_lost = code in _CHANNEL_LOST
    # Messages of payments wait for as long as it takes; what only follows up on one isn't worth holding them up.
    final = code in _MESSAGE_REFUSED or (announcement.follow_up is not None and not channel_lost)
    return NotPosted(code, channel_lost=channel_lost, final=final, unforeseen=not (channel_lost or final))


def _is_limited(error: SlackApiError) -> bool:
    return http_status(error) == 429 or slack_code(error) in ("ratelimited", "rate_limited")


def _retry_after(error: SlackApiError) -> float:
    """Seconds, as the answer's header says, and no less than the one that a channel asks for between two messages."""
    return max(told_seconds(error.response.headers), 1.0)


def _messages(page: Any) -> list[Any]:
    messages = dig(page, "messages")
    return messages if isinstance(messages, list) else []


def _key_of(message: Any) -> str | None:
    metadata = dig(message, "metadata")
    if text_at(metadata, "event_type") != EVENT_TYPE:
        return None
    return text_at(metadata, "event_payload", "key") or None
