"""Clients of Slack's Web API, and who the bot token belongs to."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

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

from bot.settings import Settings, secret
from bot.watch.metrics import Metrics

TIMEOUT_SECONDS = 10.0
# What Slack says of a token that won't work until somebody changes something (docs.slack.dev/reference/methods/auth.test).
REFUSALS = frozenset(
    "invalid_auth not_authed account_inactive token_revoked token_expired not_allowed_token_type missing_scope "
    "no_permission org_login_required ekm_access_denied access_denied team_access_not_granted "
    "two_factor_setup_required invalid_app app_not_found forbidden_team socket_mode_disabled".split()
)
# How a call fails without an answer that says anything: the SDK raises the last three over an answer that is no JSON
# object, or holds none.
UNANSWERED = (aiohttp.ClientError, TimeoutError, OSError, ValueError, AttributeError, TypeError)


# A trigger lives three seconds (docs/facts/slack.md): with it nothing is worth a longer wait, in seconds.
TRIGGER_WAIT = 2
WITH_A_TRIGGER = ("/views.open", "/views.push")


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
        if response is None or response.status_code != 429:
            return False
        told = {name.lower(): value for name, value in response.headers.items()}.get("retry-after", ["1"])
        return not request.url.endswith(WITH_A_TRIGGER) or int(told[0]) <= TRIGGER_WAIT


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


def make_session(metrics: Metrics, timeout: float = TIMEOUT_SECONDS) -> aiohttp.ClientSession:
    """Connections to Slack that are kept open between calls; bound to the running loop. Counts Slack's 429s.

    ``timeout`` is in seconds and covers a whole call.
    """

    async def count(
        _session: aiohttp.ClientSession, _context: object, end: aiohttp.TraceRequestEndParams
    ) -> None:
        if end.response.status == 429:
            metrics.slack_rate_limited.inc()

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(count)
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout), trace_configs=[trace])


def make_client(settings: Settings, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Waits out one 429, and tries again once when a connection fails: for everything but posting."""
    client = AsyncWebClient(
        token=secret(settings.slack_bot_token),
        base_url=settings.slack_api_url,
        timeout=int(TIMEOUT_SECONDS),
        session=session,
        retry_handlers=[
            RateLimitRetryHandler(max_retry_count=1),
            AsyncConnectionErrorRetryHandler(max_retry_count=1),
        ],
    )
    if urlsplit(settings.slack_api_url).hostname in {"127.0.0.1", "localhost", "::1"}:
        # The SDK would send even these through the environment's proxy.
        client.proxy = None
    return client


async def fetch_identity(client: AsyncWebClient) -> Identity:
    """Ask Slack whose token this is. Raises SlackRefused, SlackAway."""
    try:
        answer = await client.auth_test()
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
