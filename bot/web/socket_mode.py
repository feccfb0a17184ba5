"""Socket Mode, watched: a connection that is worn out, silent or dead is replaced, however long that takes.

The SDK's client reconnects by itself, but retries an address that Slack gave it for one use, forever, and closes the
old socket before there is a new one. Here each client has one socket: the next one is opened first, then the old one
may answer what it had begun.
"""

import asyncio
import contextlib
import json
import logging
import random
import time
from collections.abc import Callable

import structlog
from aiohttp import WSMessage
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.proxies import DIRECT, Proxies
from bot.slack_client import SlackRefused, judge
from bot.watch.health import NO_SOCKET, Health
from bot.watch.metrics import Metrics
from bot.web.guard import Refused, check_payload
from bot.web.intake import Intake
from handlers.bolt.answers import http_status, told_seconds

PING_SECONDS = 5.0
CONNECT_SECONDS = 10.0
WATCH_SECONDS = 1.0
CLOSE_SECONDS = 2.0
# Longer than a listener may take to acknowledge.
RETIRE_SECONDS = 5.0
FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
# A socket that ends sooner counts as one that couldn't be opened: Slack closes those of which there are too many, and
# so do gateways that don't like them.
LASTED_SECONDS = 30.0
# How long one has to last before it is believed, if the one before it didn't.
STEADY_SECONDS = 2.0


class _Socket(SocketModeClient):
    """One connection, which says that it is worn out instead of reconnecting."""

    def __init__(
        self, app_token: str, web_client: AsyncWebClient, ping_seconds: float, proxies: Proxies
    ) -> None:
        # It would log each failed attempt, with what failed in the text; SocketMode says it once.
        logger = logging.getLogger("slack_sdk.socket_mode.watched")
        logger.setLevel(logging.CRITICAL)
        super().__init__(
            app_token,
            logger=logger,
            web_client=web_client,
            ping_interval=ping_seconds,
        )
        self._proxies = proxies
        self.greeted = asyncio.Event()
        self.worn_out = asyncio.Event()
        self.on_message_listeners.append(self._hear)

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Called by the SDK when the socket closed or fell silent, or when Slack asks for a new one."""
        self.worn_out.set()

    async def open(self) -> None:
        """Return when Slack has said hello. Raises ConnectionError if it turns the connection down, and whatever the
        network, Slack or the SDK come up with."""
        answer = await self.web_client.apps_connections_open(app_token=self.app_token)
        self.wss_uri = str(answer["url"])
        # As the SDK's connect does it, which would try the same address for ever.
        self.current_session = await self.aiohttp_client_session.ws_connect(
            self.wss_uri,
            autoping=False,
            heartbeat=self.ping_interval,
            proxy=self._proxies.of(self.wss_uri),
            ssl=self.web_client.ssl or True,
        )
        self.current_session_monitor = asyncio.ensure_future(self.monitor_current_session())
        self.message_receiver = asyncio.ensure_future(self.receive_messages())
        while not self.greeted.is_set():
            if self.worn_out.is_set() or not await self.is_connected():
                raise ConnectionError("closed before it began")
            await _first(self.greeted, self.worn_out)

    async def _hear(self, message: WSMessage) -> None:
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            if json.loads(message.data).get("type") == "hello":
                self.greeted.set()

    async def close_soon(self) -> None:
        with contextlib.suppress(Exception):  # it is given up, whatever its end is like
            await asyncio.wait_for(self.close(), CLOSE_SECONDS)  # type: ignore[no-untyped-call]
        if not self.aiohttp_client_session.closed:
            await self.aiohttp_client_session.close()


async def _first(*events: asyncio.Event) -> None:
    """Until one of them is set, or a moment is over: the SDK doesn't tell of every end."""
    waiting = {asyncio.ensure_future(event.wait()) for event in events}
    try:
        await asyncio.wait(waiting, timeout=WATCH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()


class SocketMode:
    """Holds one connection to Slack between ``start`` and ``stop`` and hands what comes to ``intake``."""

    def __init__(
        self,
        app_token: str,
        client: AsyncWebClient,
        intake: Intake,
        health: Health,
        metrics: Metrics,
        *,
        on_refused: Callable[[str], None] = lambda code: None,
        ping_seconds: float = PING_SECONDS,
        proxies: Proxies = DIRECT,
    ) -> None:
        """``on_refused`` is told Slack's code if Slack refuses the token before there ever was a connection."""
        self._app_token = app_token
        self._client = client
        self._intake = intake
        self._health = health
        self._metrics = metrics
        self._ping_seconds = ping_seconds
        self._proxies = proxies
        self._on_refused = on_refused
        self._current: _Socket | None = None
        self._retiring: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._taking_in = True
        self._log = structlog.get_logger("bot.web.socket_mode")

    def start(self) -> None:
        self._health.wait_for("socket", NO_SOCKET)
        self._task = asyncio.create_task(self._run(), name="socket-mode")

    def stop_intake(self) -> None:
        """Take nothing more in (Slack gives it to another process, or again later); answers still go out."""
        self._taking_in = False
        if self._task is not None:
            self._task.cancel()

    async def stop(self) -> None:
        self.stop_intake()
        if self._task is not None:
            await asyncio.wait({self._task})
        if self._retiring is not None:
            self._retiring.cancel()
            await asyncio.wait({self._retiring})
        if self._current is not None:
            await self._current.close_soon()
            self._current = None
        self._metrics.socket_connected.set(0)

    async def _run(self) -> None:
        failures = 0
        steady = True
        while True:
            fresh = _Socket(self._app_token, self._client, self._ping_seconds, self._proxies)
            fresh.socket_mode_request_listeners.append(self._take)
            try:
                await asyncio.wait_for(fresh.open(), CONNECT_SECONDS)
            except asyncio.CancelledError:
                await fresh.close_soon()
                raise
            except Exception as error:  # whatever the network, Slack or the SDK come up with: try again
                await fresh.close_soon()
                failures += 1
                await self._wait_after(error, failures)
                continue
            began = time.monotonic()
            self._replace(fresh)
            steady = await self._watch(fresh, steady)
            if steady and time.monotonic() - began >= LASTED_SECONDS:
                failures = 0
            else:
                failures += 1
                await self._wait_after(ConnectionError(), failures)

    def _replace(self, fresh: _Socket) -> None:
        old, self._current = self._current, fresh
        self._log.info("socket.connected")
        if old is not None:
            before, self._retiring = (
                self._retiring,
                asyncio.create_task(self._retire(old), name="socket-retiring"),
            )
            if before is not None:
                # Slack counts every socket: one that has nothing to do any more mustn't stand in another one's way.
                before.cancel()

    async def _retire(self, old: _Socket) -> None:
        try:
            if await old.is_connected():
                await asyncio.sleep(RETIRE_SECONDS)
        finally:
            await old.close_soon()

    async def _watch(self, socket: _Socket, believed: bool) -> bool:
        """Return when the socket has to be replaced: whether it lasted long enough to be believed."""
        began = time.monotonic()
        steady = False
        while await socket.is_connected() and not socket.worn_out.is_set():
            lasted = time.monotonic() - began
            if believed or lasted >= STEADY_SECONDS:
                self._health.good("socket")
                self._metrics.socket_connected.set(1)
            steady = steady or lasted >= STEADY_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(socket.worn_out.wait(), WATCH_SECONDS)
        self._log.info("socket.worn_out")
        return steady or time.monotonic() - began >= STEADY_SECONDS

    async def _wait_after(self, error: Exception, failures: int) -> None:
        if self._current is None or not await self._current.is_connected():
            judged = judge(error) if isinstance(error, SlackApiError) else None
            refused = judged.code if isinstance(judged, SlackRefused) else None
            self._health.bad(
                "socket", f"Slack refuses SLACK_APP_TOKEN ({refused})." if refused else NO_SOCKET
            )
            if refused and self._current is None:
                self._on_refused(refused)
            self._metrics.socket_connected.set(0)
        self._log.info("socket.failed", failures=failures, error=type(error).__name__)
        delay = min(FIRST_DELAY * 2 ** min(failures - 1, 10), LONGEST_DELAY)
        delay *= random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries, keeps no secret
        if isinstance(error, SlackApiError) and http_status(error) == 429:
            delay = max(delay, told_seconds(error.response.headers))
        await asyncio.sleep(delay)

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        if not self._taking_in:
            return
        self._intake.tracker.begin()
        try:
            payload = check_payload(request.payload, self._client.base_url)
            answer = await self._intake.dispatch(payload, "socket", _retries(request))
            await self._answer(client, request, answer)
        except Refused as refused:
            self._metrics.slack_requests_refused.labels(str(refused.status)).inc()
            self._log.info("slack.request_refused", status=refused.status, reason=refused.reason)
        except Exception:
            self._log.exception("socket.envelope_failed", envelope=request.envelope_id)
        finally:
            self._intake.tracker.end()

    async def _answer(
        self, client: AsyncBaseSocketModeClient, request: SocketModeRequest, answer: BoltResponse
    ) -> None:
        began = time.time()
        try:
            await send_async_response(client, request, answer, began)
        except (ConnectionError, AttributeError):
            # The socket ended meanwhile; Slack takes the answer on any of the app's sockets.
            if self._current is None or self._current is client:
                raise
            await send_async_response(self._current, request, answer, began)


def _retries(request: SocketModeRequest) -> dict[str, str]:
    if not request.retry_attempt:
        return {}
    return {
        "X-Slack-Retry-Num": str(request.retry_attempt),
        "X-Slack-Retry-Reason": str(request.retry_reason or ""),
    }
