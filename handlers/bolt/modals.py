"""Opening, pushing and updating modals: a trigger lives three seconds, and a view may have changed or be closed."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.bolt.answers import SLACK_AWAY, slack_code
from handlers.bolt.context import Log, Office
from handlers.bolt.failures import explain
from handlers.bolt.payload import Delivery, text_at
from handlers.views.blocks import Json
from handlers.views.search import note, skeleton

SKELETON_AFTER = 0.4
"""Seconds that the data may take before a skeleton is shown in its place."""

_REMOVED = frozenset({"account_inactive", "token_revoked"})
"""The workspace has removed the app, and Slack takes this token never again."""

Making = Coroutine[Any, Any, Json]


@dataclass(frozen=True)
class Place:
    """A view that somebody has open, as it was when its hash was given; without one whatever is there is replaced."""

    view_id: str
    hash: str = ""
    stale: bool = False
    """It doesn't show what was last sent there: Slack couldn't or wouldn't take it."""
    shown: Json | None = None
    """What was sent there and taken."""


async def open_modal(office: Office, delivery: Delivery, making: Making) -> Place | None:
    """Open what is being made; the place where it stands, None if it is closed again by then."""
    return await _present(office, delivery, delivery.client.views_open, making)


async def push_modal(office: Office, delivery: Delivery, making: Making) -> Place | None:
    """Push what is being made on the person's stack of modals."""
    return await _present(office, delivery, delivery.client.views_push, making)


async def show_modal(office: Office, delivery: Delivery, making: Making) -> Place | None:
    """Open it, or push it on the modal that somebody acts in."""
    in_modal = delivery.view is not None and delivery.view.is_modal
    return await (push_modal if in_modal else open_modal)(office, delivery, making)


async def replace_modal(
    office: Office, delivery: Delivery, making: Callable[[], Awaitable[Json]]
) -> Place | None:
    """Show something else in the modal in which the person acted."""
    place = Place(delivery.shown.id, delivery.shown.hash)
    return await update(office.log, delivery.client, place, await making(), again=making)


async def update(
    log: Log,
    client: AsyncWebClient,
    place: Place,
    view: Json,
    *,
    again: Callable[[], Awaitable[Json]] | None = None,
    only_unchanged: bool = False,
) -> Place | None:
    """Update a view; None if the person closed it, or if the app is removed from their workspace.

    If it has changed meanwhile, what ``again`` makes is shown instead; with ``only_unchanged`` it is left as it is, and
    None returned. If Slack can't or won't, it is stale.
    """
    try:
        try:
            answer = await client.views_update(view_id=place.view_id, hash=place.hash or None, view=view)
        except SlackApiError as error:
            if slack_code(error) != "hash_conflict" or only_unchanged:
                raise
            view = view if again is None else await again()
            answer = await client.views_update(view_id=place.view_id, view=view)
    except SlackApiError as error:
        code = slack_code(error)
        if code == "not_found" or code in _REMOVED or (code == "hash_conflict" and only_unchanged):
            return None
        log.warning("view.not_updated", code=code)
        return Place(place.view_id, stale=True)
    except SLACK_AWAY as error:
        log.warning("view.not_updated", code=type(error).__name__)
        return Place(place.view_id, stale=True)
    return _place(answer, view, place.view_id)


async def _present(
    office: Office,
    delivery: Delivery,
    present: Callable[..., Awaitable[AsyncSlackResponse]],
    making: Making,
) -> Place | None:
    looking = asyncio.ensure_future(making)
    try:
        at_hand, _ = await asyncio.wait({looking}, timeout=SKELETON_AFTER)
        view = looking.result() if at_hand else skeleton()
        place = _place(await present(trigger_id=delivery.trigger_id, view=view), view)
        if at_hand or place is None:
            return place
        view = await _told(office, looking)
    finally:
        looking.cancel()
    return await update(office.log, delivery.client, place, view)


async def _told(office: Office, looking: Awaitable[Json]) -> Json:
    """What was looked for, or why it isn't there: the skeleton stands open and must say something."""
    try:
        return await looking
    except Exception as error:
        return note(explain(office.log, error) or "")


def _place(answer: AsyncSlackResponse, shown: Json, known: str = "") -> Place | None:
    """None if nobody can say where it stands: neither the answer does, nor is it ``known``."""
    view = answer.get("view")
    view_id = text_at(view, "id") or known
    return Place(view_id, text_at(view, "hash"), shown=shown) if view_id else None
