"""The Home tab, published whenever somebody opens it."""

from slack_sdk.errors import SlackApiError

from handlers.bolt.answers import SLACK_AWAY, slack_code
from handlers.bolt.context import Office
from handlers.bolt.failures import explain
from handlers.bolt.payload import Delivery
from handlers.rejections import Outsider
from handlers.views.blocks import Json
from handlers.views.home import home, unavailable


async def publish(office: Office, delivery: Delivery) -> None:
    """For people of another workspace the refusal stands there, and nothing is sent to them."""
    view = await _made(office, delivery)
    try:
        await delivery.client.views_publish(user_id=delivery.actor.user_id, view=view)
    except SlackApiError as error:
        office.log.warning("home.not_published", code=slack_code(error))
    except SLACK_AWAY as error:
        office.log.warning("home.not_published", code=type(error).__name__)


async def _made(office: Office, delivery: Delivery) -> Json:
    try:
        if delivery.outside:
            await office.desk.record_outsider(delivery.actor, delivery.outside)
            raise Outsider
        return home(await office.desk.get_home(delivery.actor))
    except Exception as error:
        return unavailable(explain(office.log, error) or "")
