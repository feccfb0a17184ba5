"""The doctor's questions to Slack: does it take the tokens, and can Paylink read and write where it must?"""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.cli.doctor.findings import Finding, Level
from bot.scopes import OPTIONAL, SCOPES
from bot.settings import Settings
from bot.slack_client import (
    UNANSWERED,
    Identity,
    SlackAway,
    SlackRefused,
    code_of,
    cure,
    fetch_identity,
    make_client,
    make_session,
)
from bot.watch.metrics import Metrics

NOTICEABLE = timedelta(minutes=1)
OUT_OF_DATE = timedelta(minutes=5)
_CHANNEL = {
    "ekm_access_denied": f"Mend it so: {cure('ekm_access_denied')}.",
    "not_in_channel": "Invite the bot to it: /invite and the bot's name, in the channel.",
    "channel_not_found": "See that the id is right, and invite the bot if the channel is private.",
    "is_archived": "Restore it, or choose another one with `paylink organization set TEAM_ID --channel C...`.",
    "missing_scope": "Add the scopes channels:history and groups:history and reinstall the app.",
}


@contextlib.asynccontextmanager
async def asking_slack(settings: Settings, token: str | None = None) -> AsyncIterator[AsyncWebClient]:
    """A client with this token, or the configured one, through the configured proxy."""
    session = make_session(Metrics(), proxies=settings.proxies)
    try:
        yield make_client(settings, session, token=token)
    finally:
        await session.close()


async def examine_bot_token(client: AsyncWebClient) -> tuple[Identity | None, list[Finding]]:
    try:
        identity = await fetch_identity(client)
    except SlackRefused as refused:
        return None, [
            Finding(
                Level.WRONG,
                f"Slack: it refuses SLACK_BOT_TOKEN ({refused.code}).",
                f"{cure(refused.code)[0].upper()}{cure(refused.code)[1:]}.",
            )
        ]
    except SlackAway:
        return None, [
            Finding(
                Level.WRONG,
                "Slack: it can't be reached.",
                "See that this machine can reach it, and that SLACK_API_URL is right.",
            )
        ]
    findings = [
        Finding(Level.WELL, f"Slack: the bot token is for {identity.team_name} ({identity.team_id}).")
    ]
    return identity, findings + examine_scopes(identity.scopes)


def examine_scopes(scopes: frozenset[str]) -> list[Finding]:
    """What is lost without those that are missing."""
    findings = []
    if not scopes:
        return [Finding(Level.NOTE, "Scopes: Slack doesn't tell which ones the token has.")]
    known = SCOPES | OPTIONAL
    missing = {scope: lost for scope, lost in known.items() if scope not in scopes}
    if not missing:
        findings.append(Finding(Level.WELL, "Scopes: all there."))
    if more := sorted(scopes - known.keys()):
        findings.append(
            Finding(
                Level.NOTE,
                f"Scopes: the token has more than Paylink asks for: {', '.join(more)}.",
                "Take over manifest.yml on the page App Manifest of your Slack app, then reinstall it.",
            )
        )
    for scope, lost in missing.items():
        findings.append(
            Finding(
                Level.NOTE if scope in OPTIONAL else Level.WRONG,
                f"Scopes: {scope} is missing, so {lost}.",
                "Take over manifest.yml on the page App Manifest of your Slack app, then reinstall it.",
            )
        )
    return findings


async def examine_clock(client: AsyncWebClient, now: datetime) -> Finding | None:
    """What is to be said of this machine's clock beside Slack's, if anything is."""
    try:
        answer = await client.api_test()
        theirs = parsedate_to_datetime(str(answer.headers.get("Date") or answer.headers["date"]))
    except (SlackApiError, *UNANSWERED, LookupError):
        return None
    apart = abs(now - theirs)
    if apart < NOTICEABLE:
        return None
    way = "ahead of" if now > theirs else "behind"
    return Finding(
        Level.WRONG if apart > OUT_OF_DATE else Level.NOTE,
        f"Clock: this machine's is {round(apart.total_seconds() / 60)} minutes {way} Slack's. Beyond five, Slack's requests over "
        "HTTP are refused as out of date.",
        "Let the machine set its clock by itself (NTP).",
    )


async def examine_app_token(client: AsyncWebClient, app_token: str) -> Finding:
    try:
        await client.apps_connections_open(app_token=app_token)
    except (SlackApiError, *UNANSWERED) as error:
        code = _code(error)
        if code is None:
            return Finding(Level.WRONG, f"Socket Mode: {_away(error)}.")
        return Finding(
            Level.WRONG,
            f"Socket Mode: Slack refuses SLACK_APP_TOKEN ({code}).",
            "Make an app-level token with the scope connections:write on the page Basic Information of your Slack app, "
            "and turn Socket Mode on.",
        )
    return Finding(Level.WELL, "Socket Mode: Slack takes the app-level token.")


async def examine_channel(client: AsyncWebClient, channel: str | None, team_id: str) -> Finding:
    if channel is None:
        return Finding(
            Level.WRONG,
            "Notification channel: there is none, so announcements wait.",
            f"Set PAYLINK_NOTIFICATION_CHANNEL before the first start, or later "
            f"`paylink organization set {team_id} --channel C...`.",
        )
    try:
        await client.conversations_history(channel=channel, limit=1)
    except (SlackApiError, *UNANSWERED) as error:
        code = _code(error)
        if code is None:
            return Finding(
                Level.WRONG, f"Notification channel: {channel} can't be read, since {_away(error)}."
            )
        return Finding(
            Level.WRONG, f"Notification channel: {channel} can't be read ({code}).", _CHANNEL.get(code, "")
        )
    return Finding(Level.WELL, f"Notification channel: the bot can read {channel}.")


def _code(error: Exception) -> str | None:
    """Slack's word for why it refused; None if it didn't."""
    return code_of(error) if isinstance(error, SlackApiError) else None


def _away(error: Exception) -> str:
    """What came instead of an answer, which may be from a gateway in between."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None) or getattr(response, "status", None)
    return (
        f"Slack can't be reached (status {status})" if isinstance(status, int) else "Slack can't be reached"
    )
