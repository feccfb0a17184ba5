"""The first organisation, made from whose bot token it is: by whichever command comes first."""

from bot.settings import Settings
from bot.slack_client import SlackAway, SlackRefused, fetch_identity, make_client, make_session
from bot.stop import Stop
from bot.watch.metrics import Metrics
from domain.database import Database
from domain.organisations import organisations
from domain.summaries import OrganisationSummary


async def ensure_organization(settings: Settings, db: Database) -> OrganisationSummary:
    """Make the organisation of SLACK_BOT_TOKEN if there is none. Raises Stop, DatabaseUnavailable."""
    if settings.slack_bot_token is None:
        raise Stop(
            "There is no organisation yet: set SLACK_BOT_TOKEN, or run `paylink organization add TEAM_ID`."
        )
    async with make_session(Metrics()) as session:
        try:
            identity = await fetch_identity(make_client(settings, session))
        except SlackRefused as refused:
            raise Stop(
                f"Slack refuses SLACK_BOT_TOKEN ({refused.code}): copy the Bot User OAuth Token from the page "
                "OAuth & Permissions of your Slack app."
            ) from None
        except SlackAway:
            raise Stop(
                "Slack can't be reached to ask whose token SLACK_BOT_TOKEN is: try again, or run "
                "`paylink organization add TEAM_ID` first."
            ) from None
    return await db.write(
        organisations.ensure, identity.team_id, identity.team_name, settings.paylink_notification_channel
    )
