"""Whoever installed Paylink hears of it directly: what it is, and what to do next."""

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.bolt.answers import SLACK_AWAY, slack_code
from handlers.bolt.context import Log
from handlers.views.setting_up import installed


async def greet_installer(log: Log, client: AsyncWebClient, user_id: str) -> None:
    """One message, with the workspace's own token. Called once for an installation: better none than two."""
    try:
        await client.chat_postMessage(channel=user_id, unfurl_links=False, unfurl_media=False, **installed())
    except SlackApiError as error:
        log.warning("installer.not_greeted", code=slack_code(error))
    except SLACK_AWAY as error:
        log.warning("installer.not_greeted", code=type(error).__name__)
