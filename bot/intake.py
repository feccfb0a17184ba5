"""The way from a payload of Slack's, however it came, through Bolt to its acknowledgement; and what is under way."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.listener.async_listener_completion_handler import AsyncListenerCompletionHandler
from slack_bolt.listener.async_listener_start_handler import AsyncListenerStartHandler
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.guard import Refused, check_payload
from bot.metrics import Metrics

_RETRY_HEADERS = ("X-Slack-Retry-Num", "X-Slack-Retry-Reason")


class Intake:
    """Hands payloads to Bolt and counts what is under way, so that a shut-down can wait for it.

    Bolt goes on with a listener after its ack in a task that it keeps no handle of; its start and completion hooks
    tell when.
    """

    def __init__(self, app: AsyncApp, metrics: Metrics, api_url: str) -> None:
        self._app = app
        self._metrics = metrics
        self._api_url = api_url
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._log = structlog.get_logger("bot.intake")
        app.listener_runner.listener_start_handler = _Started(self)
        app.listener_runner.listener_completion_handler = _Completed(self)

    async def dispatch(
        self, payload: object, transport: str, headers: Mapping[str, str] | None = None
    ) -> BoltResponse:
        """Bolt's answer to a payload that came from Slack. Raises Refused for one that Bolt can't take apart.

        Bolt gets every payload as it gets those of Socket Mode, already parsed: of a form it takes each text with the
        word "payload" in it for an interaction. So whoever took it in over HTTP has checked the signature.
        """
        checked = check_payload(payload, self._api_url)
        began = time.monotonic()
        self.begin()
        try:
            try:
                request = AsyncBoltRequest(
                    mode="socket_mode", body=checked, headers=_retry_headers(headers or {})
                )
            except (AttributeError, KeyError, IndexError, TypeError, ValueError):
                raise Refused(400, "shape") from None
            return await self._app.async_dispatch(request)
        finally:
            self.end()
            self._metrics.ack_seconds.labels(transport).observe(time.monotonic() - began)

    def begin(self) -> None:
        self._under_way += 1
        self._idle.clear()

    def end(self) -> None:
        self._under_way -= 1
        if self._under_way == 0:
            self._idle.set()

    async def finish(self, patience: float) -> bool:
        """Wait until nothing is under way, ``patience`` seconds at most; whether that came."""
        deadline = time.monotonic() + max(patience, 0)
        while True:
            # An event's listener begins a moment after its acknowledgement.
            await asyncio.sleep(0.02)
            if self._idle.is_set():
                return True
            try:
                await asyncio.wait_for(self._idle.wait(), deadline - time.monotonic())
            except TimeoutError:
                self._log.warning("listeners_left", count=self._under_way)
                return False


class _Started(AsyncListenerStartHandler):
    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def handle(self, request: AsyncBoltRequest, response: BoltResponse | None) -> None:
        self._intake.begin()


class _Completed(AsyncListenerCompletionHandler):
    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def handle(self, request: AsyncBoltRequest, response: BoltResponse | None) -> None:
        self._intake.end()


def _retry_headers(headers: Mapping[str, str]) -> dict[str, Any]:
    return {name: headers[name] for name in _RETRY_HEADERS if name in headers}
