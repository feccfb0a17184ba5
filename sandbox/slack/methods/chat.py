"""chat.* (Slack docs: reference/methods/chat.postMessage, chat.update, chat.postEphemeral, chat.delete)."""

from __future__ import annotations

from typing import Any

from sandbox.slack.blocks.inputs import state_of
from sandbox.slack.blocks.surfaces import check_message, weight
from sandbox.slack.interactions.showing import with_ids
from sandbox.slack.methods.request import Method, Request
from sandbox.slack.state.errors import SlackError
from sandbox.slack.state.model import Channel, Json, Message

TEXT_POSTED = 40_000
TEXT_UPDATED = 4_000
METADATA_BYTES = 8_000


def target(request: Request) -> Channel:
    """Where to post: a conversation's id or name, or a person's id, which means the app's direct messages with them."""
    team, named = request.team, request.text("channel")
    person = team.people.get(named)
    if person is not None and not person.is_bot:
        if not team.app.manifest.messages_enabled:
            raise SlackError("messages_tab_disabled")
        return team.dm_with(named)
    channel = team.channels.get(named)
    if channel is None:
        names = {each.name: each for each in team.channels.values() if each.kind == "public"}
        channel = names.get(named.removeprefix("#"))
    if channel is None:
        raise SlackError("channel_not_found")
    if channel.kind == "im" and not team.app.manifest.messages_enabled:
        raise SlackError("messages_tab_disabled")
    if channel.kind == "public" and "chat:write.public" in team.scopes:
        joined = channel
    else:
        joined = request.joined(channel)
    if joined.archived:
        raise SlackError("is_archived")
    return joined


def content(request: Request, longest: int) -> tuple[str, list[Json], list[Json]]:
    """A message's text, blocks and attachments; SlackError if Slack would not take them."""
    text = request.text("text", "")
    blocks = request.structure("blocks", "invalid_blocks_format") or []
    attachments = request.structure("attachments", "invalid_attachments") or []
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if not isinstance(attachments, list):
        raise SlackError("invalid_attachments")
    if len(attachments) > 100:
        raise SlackError("too_many_attachments")
    if not text and not blocks and not attachments:
        raise SlackError("no_text")
    if len(text) > longest:
        raise SlackError("msg_too_long")
    refuse(check_message({"text": text, "blocks": blocks, "attachments": attachments}))
    for attachment in attachments:
        refuse(check_message({"text": "attached", "blocks": attachment.get("blocks", [])}))
    return text, with_ids(request.team, blocks), attachments


def refuse(found: list[str]) -> None:
    """SlackError invalid_blocks with every message, or msg_blocks_too_long where that is all."""
    if found and all("msg_blocks_too_long" in each for each in found):
        raise SlackError("msg_blocks_too_long")
    if found:
        raise SlackError("invalid_blocks", errors=found, response_metadata={"messages": found})


def metadata(request: Request) -> Json | None:
    """Slack docs: messaging/message-metadata."""
    given: Any = request.structure("metadata", "invalid_metadata_format")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise SlackError("invalid_metadata_format")
    if given and not (
        isinstance(given.get("event_type"), str) and isinstance(given.get("event_payload"), dict)
    ):
        raise SlackError("invalid_metadata_schema")
    if weight(given) > METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return given


def post_message(request: Request) -> Json:
    text, blocks, attachments = content(request, TEXT_POSTED)
    known = metadata(request)
    channel = target(request)
    message = request.team.app_message(
        channel.id,
        text,
        blocks,
        attachments=attachments,
        metadata=known or None,
        thread_ts=request.args.get("thread_ts"),
        broadcast=request.flag("reply_broadcast"),
        unfurl_links=request.flag("unfurl_links") if "unfurl_links" in request.args else None,
        unfurl_media=request.flag("unfurl_media") if "unfurl_media" in request.args else None,
    )
    request.team.post(message)
    return {"channel": channel.id, "ts": message.ts, "message": message.as_json()}


def own_message(request: Request, code: str) -> Message:
    channel = request.channel()
    message = request.team.find_message(channel.id, request.text("ts"))
    if message is None or message.ephemeral_to:
        raise SlackError("message_not_found")
    if message.user != request.team.bot_user_id:
        raise SlackError(code)
    return message


def update(request: Request) -> Json:
    text, blocks, attachments = content(request, TEXT_UPDATED)
    message = own_message(request, "cant_update_message")
    if request.team.channels[message.channel].archived:
        raise SlackError("is_inactive")
    known = metadata(request)
    message.text = text
    # Slack docs, chat.update: blocks, attachments and metadata that aren't given stay; empty ones remove what was there
    if "blocks" in request.args:
        message.blocks = blocks
        message.values = state_of(blocks, message.values)
    if "attachments" in request.args:
        message.attachments = attachments
    if known is not None:
        message.metadata = known or None
    message.edited = request.team.next_ts()
    request.team.show(message, "message_updated")
    return {"channel": message.channel, "ts": message.ts, "text": text, "message": message.as_json()}


def post_ephemeral(request: Request) -> Json:
    text, blocks, attachments = content(request, TEXT_POSTED)
    channel = request.joined(request.channel())
    if channel.archived:
        raise SlackError("is_archived")
    user = request.text("user")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    message = request.team.app_message(
        channel.id,
        text,
        blocks,
        attachments=attachments,
        ephemeral_to=user,
        thread_ts=request.args.get("thread_ts"),
    )
    request.team.post(message)
    return {"message_ts": message.ts}


def delete(request: Request) -> Json:
    message = own_message(request, "cant_delete_message")
    request.team.delete(message)
    return {"channel": message.channel, "ts": message.ts}


METHODS = {
    "chat.postMessage": Method(post_message, ("chat:write",)),
    "chat.update": Method(update, ("chat:write",)),
    "chat.postEphemeral": Method(post_ephemeral, ("chat:write",)),
    "chat.delete": Method(delete, ("chat:write",)),
}
