"""Clients of Slack's Web API, and who the bot token belongs to."""

import asyncio
import re
from dataclasses import dataclass

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient

from bot.proxies import DIRECT, Proxies, through
from bot.settings import Settings, secret
from bot.watch.metrics import Metrics
from handlers.bolt.answers import AnswerReader, Heard, http_status, method_of, told_seconds

TIMEOUT_SECONDS = 10.0
# What Slack says of a token that won't work until somebody changes something (docs.slack.dev/reference/methods/auth.test).
REFUSALS = frozenset(
    "invalid_auth not_authed account_inactive token_revoked token_expired not_allowed_token_type missing_scope "
    "no_permission org_login_required ekm_access_denied access_denied team_access_not_granted "
    "two_factor_setup_required invalid_app app_not_found forbidden_team socket_mode_disabled".split()
)
# At once, of all organisations together: a few whose calls hang leave room for the others', and files for everything else.
CONNECTIONS = 400
# How a call fails without an answer that says anything.
UNANSWERED = (aiohttp.ClientError, TimeoutError, OSError, ValueError, AttributeError, TypeError)

# The longest wait, in seconds, that a call is still worth: a trigger lives three (docs/facts/slack.md), and who opens
# sockets waits by itself.
LONGEST_WAIT = 60.0
LONGEST_WAITS = {"views.open": 2.0, "views.push": 2.0, "apps.connections.open": -1.0}


class RateLimitRetryHandler(AsyncRateLimitErrorRetryHandler):
    """Waits out one 429, unless the call would be too late then."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        seconds = _limited_for(response, error)
        return seconds is not None and seconds <= LONGEST_WAITS.get(method_of(request.url), LONGEST_WAIT)

    async def prepare_for_next_attempt_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> None:
        state.next_attempt_requested = True
        await asyncio.sleep(_limited_for(response, error) or 0.0)
        state.increment_current_attempt()


def _limited_for(response: HttpResponse | None, error: Exception | None) -> float | None:
    """Seconds; None for what is no 429. One whose body can't be read is an error of the SDK's."""
    if response is not None:
        return told_seconds(response.headers) if response.status_code == 429 else None
    if isinstance(error, SlackApiError) and http_status(error) == 429:
        return told_seconds(error.response.headers)
    return None


ORG_WIDE = "org-wide installation"
_COPY = "copy the Bot User OAuth Token from the page OAuth & Permissions of your Slack app"
_CURES = {
    "token_expired": (
        "tokens of an app with token rotation expire, and Paylink doesn't rotate them: make a Slack app from manifest.yml "
        "without token rotation, and use its Bot User OAuth Token"
    ),
    "account_inactive": (
        "the app was removed from the workspace, or the workspace was closed: install the app again, then "
        + _COPY
    ),
    "org_login_required": (
        "the workspace is being moved into an Enterprise organisation: wait until Slack has ended that, install the app "
        "again if it was removed, then " + _COPY
    ),
    "ekm_access_denied": (
        "administrators of the Enterprise organisation have suspended access with their encryption keys: have them give it "
        "back (Enterprise Key Management)"
    ),
    ORG_WIDE: (
        "it is of an org-wide installation, and Paylink works in one workspace: install the app in a single workspace, then "
        + _COPY
    ),
}


def cure(code: str) -> str:
    """What whoever runs Paylink can do when Slack refuses the bot token with this code; no sentence yet."""
    return _CURES.get(code, _COPY)


def refusal(code: str) -> str:
    """The sentence for whoever runs Paylink, in the log, at /readyz and when it can't start."""
    return f"Slack refuses SLACK_BOT_TOKEN ({code}): {cure(code)}."


class SlackRefused(Exception):
    """Slack doesn't take the token; ``code`` is Slack's word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SlackAway(Exception):
    """Slack can't be reached, or has troubles of its own."""


@dataclass(frozen=True)
class Identity:
    """Whose bot this is."""

    team_id: str
    team_name: str
    bot_id: str
    bot_user_id: str
    scopes: frozenset[str]


def make_session(
    metrics: Metrics, timeout: float = TIMEOUT_SECONDS, proxies: Proxies = DIRECT
) -> aiohttp.ClientSession:
    """Connections to Slack that are kept open between calls; bound to the running loop. Counts Slack's 429s.

    ``timeout`` is in seconds and covers a whole call. Whatever a call says of a proxy, ``proxies`` decides.
    """

    async def count(
        _session: aiohttp.ClientSession, _context: object, end: aiohttp.TraceRequestEndParams
    ) -> None:
        if end.response.status == 429:
            metrics.slack_rate_limited.inc()

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(count)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS),
        timeout=aiohttp.ClientTimeout(total=timeout),
        trace_configs=[trace],
        middlewares=(through(proxies),),
    )


def make_client(
    settings: Settings,
    session: aiohttp.ClientSession,
    heard: Heard = lambda method, code: None,
    *,
    token: str | None = None,
) -> AsyncWebClient:
    """With the configured token, if none is given. Waits out one 429, and tries again once when a connection fails: for everything but posting."""
    client = AsyncWebClient(
        token=token or secret(settings.slack_bot_token) or None,
        base_url=settings.slack_api_url,
        timeout=int(TIMEOUT_SECONDS),
        session=session,
        retry_handlers=[
            RateLimitRetryHandler(max_retry_count=1),
            AsyncConnectionErrorRetryHandler(max_retry_count=1),
            AnswerReader(heard),
        ],
    )
    # The SDK takes the environment's for every address; the session knows better.
    client.proxy = None
    return client


async def fetch_identity(client: AsyncWebClient) -> Identity:
    """Ask Slack whose token this is. Raises SlackRefused, SlackAway."""
    try:
        answer = await client.auth_test()
        if answer.get("is_enterprise_install") or str(answer.get("team_id")).startswith("E"):
            raise SlackRefused(ORG_WIDE)
        scopes = str(answer.headers.get("x-oauth-scopes") or answer.headers.get("X-OAuth-Scopes") or "")
        return Identity(
            team_id=_team_id(answer["team_id"]),
            team_name=str(answer.get("team") or ""),
            bot_id=str(answer.get("bot_id") or ""),
            bot_user_id=str(answer.get("user_id") or ""),
            scopes=frozenset(filter(None, (scope.strip() for scope in scopes.split(",")))),
        )
    except SlackApiError as error:
        raise judge(error) from None
    except UNANSWERED:
        raise SlackAway from None


async def fetch_nothing(client: AsyncWebClient) -> None:
    """Ask Slack whether it is there, with no token. Raises SlackAway."""
    try:
        await client.api_test()
    except (SlackApiError, *UNANSWERED):
        raise SlackAway from None


def _team_id(value: object) -> str:
    """Raises ValueError for what is no workspace's id: an organisation is made of it, and stays."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z0-9]{2,255}", value, re.ASCII):
        raise ValueError("team_id")
    return value


def judge(error: SlackApiError) -> SlackRefused | SlackAway:
    """Whether the token is at fault, or Slack."""
    code = code_of(error)
    return SlackRefused(code) if code in REFUSALS else SlackAway()


def code_of(error: SlackApiError) -> str | None:
    """Slack's own word for what is wrong; None if the answer holds none: then it isn't Slack's application that spoke."""
    said = getattr(error.response, "data", None)
    code = said.get("error") if isinstance(said, dict) else None
    return code if isinstance(code, str) else None
