"""The way from a payload of Slack's, however it came, through Bolt to its acknowledgement."""

import time
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.listener.async_listener_completion_handler import AsyncListenerCompletionHandler
from slack_bolt.listener.async_listener_start_handler import AsyncListenerStartHandler
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.watch.metrics import Metrics
from bot.web.guard import Object, Refused
from bot.work.tracking import Tracker

_RETRY_HEADERS = ("X-Slack-Retry-Num", "X-Slack-Retry-Reason")


class Intake:
    """Hands payloads to Bolt, and tells ``tracker`` what is under way.

    Bolt goes on with a listener after its ack in a task that it keeps no handle of; its start and completion hooks
    tell when.
    """

    def __init__(self, app: AsyncApp, tracker: Tracker, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self.tracker = tracker
        app.listener_runner.listener_start_handler = _Started(tracker)
        app.listener_runner.listener_completion_handler = _Completed(tracker)

    async def dispatch(
        self, payload: Object, transport: str, headers: Mapping[str, str] | None = None
    ) -> BoltResponse:
        """Bolt's answer to a payload that the guard let in. Raises Refused for one that Bolt can't take apart.

        Bolt gets every payload as it gets those of Socket Mode, already parsed: of a form it takes each text with the
        word "payload" in it for an interaction. So whoever took it in over HTTP has checked the signature.
        """
        began = time.monotonic()
        self.tracker.begin()
        try:
            try:
                request = AsyncBoltRequest(
                    mode="socket_mode", body=payload, headers=_retry_headers(headers or {})
                )
            except (AttributeError, KeyError, IndexError, TypeError, ValueError):
                raise Refused(400, "shape") from None
            return await self._app.async_dispatch(request)
        finally:
            self.tracker.end()
            self._metrics.ack_seconds.labels(transport).observe(time.monotonic() - began)


class _Started(AsyncListenerStartHandler):
    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    async def handle(self, request: AsyncBoltRequest, response: BoltResponse | None) -> None:
        self._tracker.begin()


class _Completed(AsyncListenerCompletionHandler):
    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    async def handle(self, request: AsyncBoltRequest, response: BoltResponse | None) -> None:
        self._tracker.end()


def _retry_headers(headers: Mapping[str, str]) -> dict[str, Any]:
    return {name: headers[name] for name in _RETRY_HEADERS if name in headers}
