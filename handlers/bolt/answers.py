"""What comes back from Slack's Web API: how long to wait after a 429, and whether it is an answer at all.

The SDK reads Retry-After as a whole number and takes every answer for an object; a gateway sends neither
(docs/facts/slack.md).
"""

import math
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState

LONGEST_TOLD = 3600.0
WITHOUT_A_NUMBER = 1.0
# What the SDK raises over a body that it can't decode.
_UNDECODABLE = (UnicodeError, LookupError, AttributeError, TypeError)

SLACK_AWAY = (aiohttp.ClientError, TimeoutError, OSError, SlackRequestError)
"""How a call of Slack's Web API fails without an answer; the last is the SDK's, for what it won't even send."""

SLACKS_OWN = frozenset("internal_error fatal_error service_unavailable request_timeout".split())
"""What Slack says of itself; the work may have been done."""

Heard = Callable[[str, str | None], None]
"""Told of each answer that could be read: the method, and Slack's code if it refused."""


class NoAnswer(aiohttp.ClientError):
    """What came in Slack's place is no JSON object: Slack is away, and something else answered."""


def told_seconds(headers: Mapping[str, Any] | None) -> float:
    """The seconds of Retry-After; one where it is absent or no number, as a date is."""
    told = {str(name).lower(): value for name, value in (headers or {}).items()}.get("retry-after")
    first = told[0] if isinstance(told, list) and told else told
    try:
        seconds = float(str(first))
    except ValueError:
        return WITHOUT_A_NUMBER
    return min(max(seconds, 0.0), LONGEST_TOLD) if math.isfinite(seconds) else WITHOUT_A_NUMBER


def method_of(url: str) -> str:
    """``chat.postMessage``."""
    return urlsplit(url).path.rpartition("/")[2]


def slack_code(error: SlackApiError) -> str:
    """Slack's short error code; ``http_503`` and the like where Slack sent none."""
    data = getattr(error.response, "data", None)
    code = data.get("error") if isinstance(data, dict) else None
    return code if isinstance(code, str) else f"http_{http_status(error)}"


def http_status(error: SlackApiError) -> int:
    """0 for an answer that couldn't be read."""
    for name in ("status_code", "status"):
        status = getattr(error.response, name, None)
        if isinstance(status, int):
            return status
    return 0


class AnswerReader(AsyncRetryHandler):
    """Retries nothing. The SDK shows its retry handlers each answer before it makes anything of it: here they are looked
    at, and what can't be read raises NoAnswer."""

    def __init__(self, heard: Heard = lambda method, code: None) -> None:
        super().__init__()
        self._heard = heard

    async def can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if isinstance(error, _UNDECODABLE):
            raise NoAnswer(type(error).__name__) from error
        if error is None and response is not None:
            body: object = response.body
            if isinstance(body, dict):
                code = body.get("error")
                refused = not body.get("ok")
                self._heard(method_of(request.url), str(code) if refused and code else None)
            elif response.status_code == 200:
                raise NoAnswer(type(body).__name__)
        return False
