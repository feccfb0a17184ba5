"""The Home tab, published whenever somebody opens it, and again while what it shows changes."""

import hashlib
import json

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from domain.errors import NotAllowed, PaylinkError
from domain.summaries import Actor
from handlers.bolt.answers import SLACK_AWAY, slack_code
from handlers.bolt.context import Office
from handlers.bolt.failures import explain
from handlers.bolt.payload import Delivery
from handlers.rejections import Outsider
from handlers.views.blocks import Json
from handlers.views.home import home, unavailable
from handlers.words.sentences import sentence


async def publish(office: Office, delivery: Delivery) -> bool:
    """Whether they may see it: for others the refusal stands there, and nothing is sent to them."""
    view, may_look = await _made(office, delivery)
    if await _published(office, delivery.client, delivery.actor, view) and may_look:
        office.watch(_written_down(office, delivery.actor, view))
    return may_look


async def look_again(office: Office, client: AsyncWebClient, team_id: str) -> None:
    """Publish to those of a workspace who have it open what has changed. Raises DatabaseUnavailable."""
    due = {home.actor: home for home in await office.desk.list_due_homes(team_id)}
    if not due:
        return
    for actor, found in (await office.desk.list_homes(tuple(due))).items():
        view = unavailable(str(sentence(found))) if isinstance(found, NotAllowed) else home(found)
        was, shown = due[actor], _digest(view)
        if shown == was.shown or not await office.desk.take_home(was):
            continue
        if await _published(office, client, actor, view):
            await office.desk.mark_home(was, shown)


async def _written_down(office: Office, actor: Actor, view: Json) -> None:
    """Nobody waits for it; if it fails, Home only stays as it is."""
    try:
        await office.desk.follow_home(actor, _digest(view))
    except PaylinkError as error:
        office.log.info("home.not_followed", error=type(error).__name__)


async def _made(office: Office, delivery: Delivery) -> tuple[Json, bool]:
    try:
        if delivery.outside:
            await office.desk.record_outsider(delivery.actor, delivery.outside)
            raise Outsider
        return home(await office.desk.get_home(delivery.actor)), True
    except Exception as error:
        refused = isinstance(error, (Outsider, NotAllowed))
        return unavailable(explain(office.log, error) or ""), not refused


async def _published(office: Office, client: AsyncWebClient, actor: Actor, view: Json) -> bool:
    try:
        await client.views_publish(user_id=actor.user_id, view=view)
    except SlackApiError as error:
        office.log.warning("home.not_published", code=slack_code(error))
    except SLACK_AWAY as error:
        office.log.warning("home.not_published", code=type(error).__name__)
    else:
        return True
    return False


def _digest(view: Json) -> str:
    return hashlib.sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()
