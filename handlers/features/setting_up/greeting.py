"""Whoever installed Paylink hears of it directly: what it is, and what to do next."""

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from domain.desk import Desk
from domain.errors import PaylinkError
from domain.summaries import Actor
from handlers.bolt.answers import SLACK_AWAY, http_status, slack_code
from handlers.bolt.context import Log
from handlers.views.setting_up import installed


async def greet_installer(desk: Desk, log: Log, client: AsyncWebClient, actor: Actor) -> None:
    """Once for each person, in place of the welcome that others get on first sight. ``client`` has the workspace's token."""
    try:
        if not await desk.welcome(actor):
            return
        try:
            await client.chat_postMessage(
                channel=actor.user_id, unfurl_links=False, unfurl_media=False, **installed()
            )
        except SlackApiError as error:
            log.warning("installer.not_greeted", code=slack_code(error))
            if 0 < http_status(error) < 500:
                await desk.forget_welcome(actor)
        except SLACK_AWAY as error:
            # It may stand there: better none than two.
            log.warning("installer.not_greeted", code=type(error).__name__)
    except PaylinkError as error:
        log.warning("installer.not_greeted", code=type(error).__name__)
