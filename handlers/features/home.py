"""The Home tab, published whenever somebody opens it, and again while what it shows changes."""

import asyncio
import hashlib
import json

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from domain.summaries import Actor
from handlers.bolt.answers import SLACK_AWAY, slack_code
from handlers.bolt.context import Office
from handlers.bolt.failures import explain
from handlers.bolt.homes import EVERY
from handlers.bolt.payload import Delivery
from handlers.rejections import Outsider
from handlers.views.blocks import Json
from handlers.views.home import home, unavailable


async def publish(office: Office, delivery: Delivery) -> None:
    """For people of another workspace the refusal stands there, and nothing is sent to them."""
    view = await _made(office, delivery)
    if await _published(office, delivery.client, delivery.actor, view) and not delivery.outside:
        office.homes.note_opened(delivery.actor, _digest(view), asyncio.get_running_loop().time())


async def look_again(office: Office, client: AsyncWebClient, team_id: str) -> None:
    """Publish to those of a workspace who have it open what has changed. Raises DatabaseUnavailable."""
    now = asyncio.get_running_loop().time()
    due = office.homes.due(team_id, now)
    if not due:
        return
    for actor, shown in (await office.desk.list_homes(tuple(due))).items():
        view, one = home(shown), due[actor]
        if (seen := _digest(view)) == one.shown:
            continue
        one.not_before = now + EVERY
        if await _published(office, client, actor, view):
            one.shown = seen


async def _made(office: Office, delivery: Delivery) -> Json:
    try:
        if delivery.outside:
            await office.desk.record_outsider(delivery.actor, delivery.outside)
            raise Outsider
        return home(await office.desk.get_home(delivery.actor))
    except Exception as error:
        return unavailable(explain(office.log, error) or "")


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
