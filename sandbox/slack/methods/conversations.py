"""conversations.* (Slack docs: reference/methods/conversations.history, .replies, .info, .open, .members, .list, .join)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from sandbox.slack.methods.request import Method, Request, timestamp
from sandbox.slack.state.errors import SlackError
from sandbox.slack.state.model import Channel, Json, Message
from sandbox.slack.state.team import Team, channel_json

READ = ("channels:read", "groups:read", "im:read")
HISTORY = ("channels:history", "groups:history", "im:history")
KINDS = {"public": "channels", "private": "groups", "im": "im"}
RESTRICTED_PAGE = 15


def granted(request: Request, channel: Channel, right: str) -> Channel:
    """missing_scope unless the token holds the scope for this kind of conversation."""
    needed = f"{KINDS[channel.kind]}:{right}"
    if needed not in request.team.scopes:
        raise SlackError("missing_scope", needed=needed, provided=",".join(request.team.scopes))
    return channel


def visible(request: Request) -> Channel:
    channel = request.channel()
    if channel.kind != "public" and request.team.bot_user_id not in channel.members:
        raise SlackError("channel_not_found")
    return granted(request, channel, "read")


def full(team: Team, channel: Channel) -> Json:
    found = {**channel_json(channel), "is_member": team.bot_user_id in channel.members}
    return (
        found if channel.kind != "im" else {**found, "user": next(iter(channel.members - {team.bot_user_id}))}
    )


def info(request: Request) -> Json:
    return {"channel": full(request.team, visible(request))}


def members(request: Request) -> Json:
    return {"members": sorted(visible(request).members), "response_metadata": {"next_cursor": ""}}


def listing(request: Request) -> Json:
    types = request.text("types", "public_channel").split(",")
    kinds = {"public_channel": "public", "private_channel": "private", "im": "im"}
    wanted = {kinds[each] for each in types if each in kinds}
    for kind in wanted:
        granted(request, Channel("", "", kind), "read")
    team = request.team
    found = [
        full(team, channel)
        for channel in team.channels.values()
        if channel.kind in wanted and (channel.kind == "public" or team.bot_user_id in channel.members)
    ]
    return {"channels": found, "response_metadata": {"next_cursor": ""}}


def open_dm(request: Request) -> Json:
    users = request.text("users").split(",")
    if len(users) != 1:
        raise SlackError("method_not_supported_for_channel_type")
    if users[0] not in request.team.people:
        raise SlackError("user_not_found")
    return {"channel": {"id": request.team.dm_with(users[0]).id}}


def join(request: Request) -> Json:
    channel = request.channel()
    if channel.kind != "public":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    channel.members.add(request.team.bot_user_id)
    return {"channel": full(request.team, channel)}


def history(request: Request) -> Json:
    """Newest first; replies in threads are left out, unless they were sent to the channel too."""
    channel = _readable(request)
    shown = [
        message
        for message in reversed(request.team.messages.get(channel.id, []))
        if message.thread_ts in (None, message.ts) or message.broadcast
    ]
    return _page(request, shown, newest_first=True) | {"pin_count": 0}


def replies(request: Request) -> Json:
    """The message that the thread belongs to, and its replies, the oldest first (Slack docs: conversations.replies)."""
    channel = _readable(request)
    parent = request.team.find_message(channel.id, request.text("ts"))
    if parent is None or parent.ephemeral_to:
        raise SlackError("thread_not_found")
    thread_ts = parent.thread_ts or parent.ts
    shown = [
        message
        for message in request.team.messages.get(channel.id, [])
        if thread_ts in (message.ts, message.thread_ts)
    ]
    return _page(request, shown, newest_first=False)


def _readable(request: Request) -> Channel:
    channel = request.channel()
    if channel.kind != "public":
        request.joined(channel)
    granted(request, channel, "history")
    request.joined(channel)
    return channel


def _page(request: Request, messages: Iterable[Message], *, newest_first: bool) -> Json:
    """`oldest` and `latest` exclude their own moment unless `inclusive`."""
    oldest = timestamp(request.text("oldest", "0"), "invalid_ts_oldest")
    latest = timestamp(request.text("latest", "999999999999"), "invalid_ts_latest")
    limit = request.number("limit", 100)
    if not 1 <= limit <= 999:
        raise SlackError("invalid_limit")
    if request.team.app.limits.history_is_restricted:
        limit = min(limit, RESTRICTED_PAGE)
    inclusive = request.flag("inclusive")
    cursor = cursor_ts(request.text("cursor", ""))
    found = []
    for message in messages:
        at = float(message.ts)
        inside = oldest <= at <= latest if inclusive else oldest < at < latest
        beyond = not cursor or (message.ts < cursor if newest_first else message.ts > cursor)
        if inside and not message.ephemeral_to and beyond:
            found.append(message)
    page, more = found[:limit], len(found) > limit
    with_metadata = request.flag("include_all_metadata")
    answer: Json = {
        "messages": [message.as_json(with_metadata=with_metadata) for message in page],
        "has_more": more,
    }
    if more:
        token = base64.b64encode(f"next_ts:{page[-1].ts}".encode()).decode()
        answer["response_metadata"] = {"next_cursor": token}
    return answer


def cursor_ts(cursor: str) -> str:
    """The timestamp before which the next page begins; SlackError invalid_cursor."""
    if not cursor:
        return ""
    try:
        word, _, ts = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise SlackError("invalid_cursor") from None
    if word != "next_ts":
        raise SlackError("invalid_cursor")
    timestamp(ts, "invalid_cursor")
    return ts


METHODS = {
    "conversations.info": Method(info, READ),
    "conversations.members": Method(members, READ),
    "conversations.list": Method(listing, READ),
    "conversations.open": Method(open_dm, ("im:write",)),
    "conversations.join": Method(join, ("channels:join",)),
    "conversations.history": Method(history, HISTORY),
    "conversations.replies": Method(replies, HISTORY),
}
