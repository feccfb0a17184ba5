"""How a handler is hung into Bolt: everything is acknowledged, and whatever goes wrong ends as a sentence.

Bolt runs a listener as a bare task, and drops an ack that was given if the listener raises after it: so no exception
leaves these functions, and work after the ack is tracked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from domain.errors import DatabaseUnavailable
from handlers.bolt.context import Office, Work
from handlers.bolt.failures import explain, refusal, tell
from handlers.bolt.payload import Delivery, dig, listed, read_delivery, read_view, text_at
from handlers.rejections import Outsider
from handlers.views.blocks import Json

ACK_SECONDS = 2.4
"""What an answer may take; the rest of Slack's three seconds is the network's."""

# docs.slack.dev/reference/events/team_access_granted, team_access_revoked
REGRANTS = ("team_access_granted", "team_access_revoked")

T = TypeVar("T")
Listener = Callable[..., Awaitable[None]]
Handler = Callable[[Office, Delivery], Awaitable[None]]
Answerer = Callable[[Office, Delivery], Awaitable[Json]]
Removed = Callable[[str, str | None], None]
"""Told the workspace, and its Enterprise Grid organisation if it is in one."""
Regranted = Callable[[Sequence[str], str], Coroutine[Any, Any, None]]
"""Told workspaces of an Enterprise Grid organisation, and the organisation, that were given the app or had it taken away."""
Command = Callable[[Office, Delivery], str | Work]


def acknowledge() -> Listener:
    """For what needs no answer: a URL button, the Done of the copy view."""

    async def listener(ack: AsyncAck) -> None:
        await ack()

    return listener


def after_ack(office: Office, handler: Handler) -> Listener:
    """Acknowledge at once, then work."""

    async def listener(ack: AsyncAck, body: Json, context: AsyncBoltContext, client: AsyncWebClient) -> None:
        await ack()
        office.track(_attempt(office, handler, body, context, client))

    return listener


def hearing(office: Office, handler: Handler) -> Listener:
    """As after_ack, for events: what it says to people of another workspace, and where, is the handler's."""

    async def listener(ack: AsyncAck, body: Json, context: AsyncBoltContext, client: AsyncWebClient) -> None:
        await ack()
        try:
            delivery = _read(body, context, client)
        except Exception as error:
            explain(office.log, error)
            return
        office.track(_outlive(office, handler(office, delivery)))

    return listener


def ending(removed: Removed) -> Listener:
    """For what Slack tells of the app itself, which nobody did in it: there may be no token any more."""

    async def listener(ack: AsyncAck, body: Json) -> None:
        event, team_id = body.get("event"), body.get("team_id")
        if isinstance(team_id, str) and team_id and _ends_bot(event):
            enterprise_id = body.get("enterprise_id")
            removed(team_id, enterprise_id if isinstance(enterprise_id, str) else None)
        await ack()

    return listener


def read_regranted(body: Json) -> tuple[list[str], str] | None:
    """The workspaces, and their organisation, that Slack tells of; None for whatever else it tells.

    They needn't be the one that the event comes from, which may be none at all.
    """
    event = body.get("event")
    if text_at(event, "type") not in REGRANTS:
        return None
    organisations = (
        text_at(body, "enterprise_id"),
        text_at(event, "enterprise_id"),
        *(text_at(one, "enterprise_id") for one in listed(body.get("authorizations"))),
    )
    team_ids = [one for one in listed(dig(event, "team_ids")) if isinstance(one, str)]
    return team_ids, next(filter(None, organisations), "")


def _ends_bot(event: object) -> bool:
    """Whether it may be about the bot's token: people's own are none of Paylink's."""
    return dig(event, "type") != "tokens_revoked" or bool(dig(event, "tokens", "bot"))


def before_ack(office: Office, handler: Handler) -> Listener:
    """Acknowledge what is committed: what was acknowledged in silence happens."""

    async def listener(ack: AsyncAck, body: Json, context: AsyncBoltContext, client: AsyncWebClient) -> None:
        delivery, words = None, None
        try:
            delivery = _read(body, context, client)
            await _in_time(office, _begin(office, delivery, handler))
        except Exception as error:
            words = explain(office.log, error)
        await ack()
        if delivery is not None and words:
            office.track(tell(office, delivery, words))

    return listener


def answering(office: Office, answerer: Answerer) -> Listener:
    """Acknowledge with an answer: submissions."""

    async def listener(ack: AsyncAck, body: Json, context: AsyncBoltContext, client: AsyncWebClient) -> None:
        delivery = None
        try:
            delivery = _read(body, context, client)
            answer = await _in_time(office, _begin(office, delivery, answerer))
        except Exception as error:
            words = explain(office.log, error)
            answer = refusal(delivery.view if delivery else None, words) if words else {}
        await ack(answer) if answer else await ack()

    return listener


def offering(office: Office, answerer: Answerer) -> Listener:
    """Acknowledge with the options of a type-ahead; none if something is wrong, since there is no place for words."""

    async def listener(ack: AsyncAck, body: Json, context: AsyncBoltContext, client: AsyncWebClient) -> None:
        try:
            delivery = _read(body, context, client)
            answer = await _in_time(office, _begin(office, delivery, answerer))
        except Exception as error:
            explain(office.log, error)
            answer = {"options": []}
        await ack(answer)

    return listener


def commanding(office: Office, command: Command) -> Listener:
    """Acknowledge a slash command: with a sentence, or with nothing and then work."""

    async def listener(ack: AsyncAck, body: Json, context: AsyncBoltContext, client: AsyncWebClient) -> None:
        try:
            delivery = _read(body, context, client)
            answer = _begin(office, delivery, command)
        except Exception as error:
            await ack(explain(office.log, error) or "")
            return
        if isinstance(answer, str):
            await ack(answer)
            return
        await ack()
        office.track(_finish(office, delivery, answer))

    return listener


def shown_as(answer: BoltResponse, body: Json, words: str) -> BoltResponse:
    """An answer of mere words in the form in which Slack shows it, if it shows any to what was done: where nobody's token
    is at hand, nothing but the answer itself can say it."""
    kind = body.get("type")
    if kind == "view_submission":
        return BoltResponse(status=200, body=refusal(read_view(body.get("view")), words))
    if kind == "block_suggestion":
        return BoltResponse(status=200, body={"options": []})
    return answer if "command" in body else BoltResponse(status=200, body="")


def _begin(
    office: Office, delivery: Delivery, work: Callable[[Office, Delivery], T]
) -> T | Coroutine[Any, Any, Any]:
    """What answers the delivery; before anything is read for people of another workspace, their refusal."""
    if not delivery.outside:
        return work(office, delivery)
    return _if_own(office, delivery, work) if delivery.perhaps_own else _refuse(office, delivery)


async def _if_own(office: Office, delivery: Delivery, work: Callable[[Office, Delivery], Any]) -> Any:
    """On Enterprise Grid a button in a channel tells of somebody any of their workspaces, and is pressed by people of others:
    let in is whoever Slack says is of this one, too."""
    if not await office.people.belongs(delivery.actor):
        await _refuse(office, delivery)
    return await work(office, replace(delivery, outside=""))


async def _refuse(office: Office, delivery: Delivery) -> NoReturn:
    await office.desk.record_outsider(delivery.actor, delivery.outside)
    raise Outsider


async def _in_time(office: Office, work: Awaitable[T]) -> T:
    """What comes of the work, which has only the database to wait for.

    Raises DatabaseUnavailable when Slack won't wait any longer. The work goes on, and doing the same again is safe.
    """
    doing = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({doing}, timeout=ACK_SECONDS)
    if not done:
        office.track(_outlive(office, doing))
        raise DatabaseUnavailable
    return doing.result()


async def _outlive(office: Office, doing: Awaitable[Any]) -> None:
    try:
        await doing
    except Exception as error:
        explain(office.log, error)


async def _attempt(
    office: Office, handler: Handler, body: Json, context: AsyncBoltContext, client: AsyncWebClient
) -> None:
    try:
        delivery = _read(body, context, client)
    except Exception as error:
        explain(office.log, error)
        return
    await _finish(office, delivery, _begin(office, delivery, handler))


async def _finish(office: Office, delivery: Delivery, work: Awaitable[Any]) -> None:
    try:
        await work
    except Exception as error:
        words = explain(office.log, error)
        if words:
            await tell(office, delivery, words)


def _read(body: Json, context: AsyncBoltContext, client: AsyncWebClient) -> Delivery:
    return read_delivery(body, context.team_id, context.user_id, client, from_team=context.actor_team_id)
