"""Socket Mode: WebSocket connections over which payloads go out and acks come back.

Source: Slack docs: apis/events-api/using-socket-mode; the official client's behaviour (slack_sdk.socket_mode.aiohttp).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Literal
from uuid import uuid4

from aiohttp import WSMsgType, web

from sandbox.slack.state.app import Ack, Envelope, InstalledApp
from sandbox.slack.state.faults import Fault
from sandbox.slack.state.model import Json
from sandbox.slack.state.watching import Broadcast

PING_SECONDS = 10.0


class Connection:
    """One WebSocket of the app. A silent one stays open, and nothing that is sent on it arrives or is answered."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.silent = False

    async def send(self, frame: Json) -> None:
        if not self.silent:
            with suppress(ConnectionError):
                await self.socket.send_str(json.dumps(frame))


class Sockets:
    """The app's Socket Mode connections; a Delivery."""

    def __init__(self, app: InstalledApp) -> None:
        self._app = app
        self._tickets: set[str] = set()
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._next = 0
        self.connections: list[Connection] = []
        self.changed = Broadcast()

    def issue_url(self, base_url: str) -> str:
        """A WebSocket URL that can be connected to once (apps.connections.open)."""
        ticket = uuid4().hex
        self._tickets.add(ticket)
        return f"{base_url.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={self._app.app_id}"

    # ---- the connections --------------------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """GET /link/: refuses a ticket that was used or never issued, an eleventh connection, and everything in an outage."""
        if self._app.faults.outage:
            return web.Response(status=503)
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=404)
        self._tickets.remove(ticket)
        fault = self._app.faults.strike("socket")
        if fault and fault.do == "status":
            return web.Response(status=fault.status)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        reason = _turned_down(fault)
        if reason is None and len(self.connections) >= self._app.limits.connections:
            reason = "too_many_websockets"
        if reason is not None:
            if reason:
                await socket.send_str(json.dumps({"type": "disconnect", "reason": reason}))
            await socket.close()
            return socket
        connection = Connection(socket)
        self.connections.append(connection)
        await connection.send(self._hello())
        self.changed.touch()
        busy = [asyncio.create_task(self._ping(connection))]
        if fault:
            busy.append(asyncio.create_task(self._cut_later(connection, fault.seconds)))
        try:
            await self._receive(connection)
        finally:
            for each in busy:
                each.cancel()
            if connection in self.connections:
                self.connections.remove(connection)
            self.changed.touch()
        return socket

    async def _cut_later(self, connection: Connection, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await connection.socket.close()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {"host": "applink-local", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._app.app_id},
        }

    async def _ping(self, connection: Connection) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            if not connection.silent:
                await connection.socket.ping(b"Ping from applink-local")

    async def _receive(self, connection: Connection) -> None:
        async for message in connection.socket:
            if connection.silent:
                continue
            if message.type is WSMsgType.PING:
                await connection.socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._take_ack(message.data)

    def _take_ack(self, text: str) -> None:
        try:
            frame = json.loads(text)
        except ValueError:
            return
        waiting = self._waiting.get(frame.get("envelope_id", "")) if isinstance(frame, dict) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(frame.get("payload"))

    # ---- deliveries -------------------------------------------------------------------------------------------------

    async def send(
        self,
        envelope: Envelope,
        payload: Json,
        *,
        answerable: bool = False,
        retry: tuple[int, str] | None = None,
    ) -> Ack:
        started = time.monotonic()
        if not self.connections or self._app.faults.outage:
            return Ack(False, 0.0, error="dispatch_failed")
        fault = self._app.faults.strike(f"deliver.{envelope}")
        envelope_id = str(uuid4())
        frame = {
            "envelope_id": envelope_id,
            "payload": payload,
            "type": envelope,
            "accepts_response_payload": answerable,
        }
        if envelope == "events_api":
            frame |= {"retry_attempt": retry[0] if retry else 0, "retry_reason": retry[1] if retry else ""}
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = answer
        try:
            async with asyncio.timeout(self._app.limits.ack_seconds):
                await self._put(frame, fault)
                body = await answer
        except TimeoutError:
            return Ack(False, _since(started), error="operation_timeout")
        finally:
            del self._waiting[envelope_id]
        return Ack(True, _since(started), body if answerable else None)

    async def _put(self, frame: Json, fault: Fault | None) -> None:
        if fault and fault.do == "drop":
            return
        if fault and fault.do == "slow":
            await fault.wait()
        await self._choose().send(frame)
        if fault and fault.do == "twice":
            await self._choose().send({**frame, "envelope_id": str(uuid4())})

    def _choose(self) -> Connection:
        """Each payload goes to one connection; in turn, so that a test of several sees all of them used."""
        self._next += 1
        return self.connections[self._next % len(self.connections)]

    # ---- what goes wrong with sockets -------------------------------------------------------------------------------

    async def disconnect(
        self, reason: Literal["warning", "refresh_requested", "link_disabled"] = "refresh_requested"
    ) -> None:
        """Announces a disconnect on every connection; all but "warning" close it right after."""
        for connection in list(self.connections):
            await connection.send(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-local"}}
            )
        if reason != "warning":
            await self.cut()

    def silence(self) -> None:
        """Every connection of this moment goes dead without closing: no payloads, no pongs, no acks."""
        for connection in self.connections:
            connection.silent = True

    def give_up(self) -> None:
        """Slack waits no longer for the acknowledgements that it is waiting for now."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(TimeoutError())

    async def cut(self, connections: Iterable[Connection] | None = None) -> None:
        """Closes connections (all of them) without a word."""
        for connection in list(self.connections if connections is None else connections):
            if connection in self.connections:
                self.connections.remove(connection)
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await connection.socket.close()
        self.changed.touch()


def _turned_down(fault: Fault | None) -> str | None:
    """The reason that is given in place of the hello, empty for none; None if there is a hello."""
    if fault is None or fault.when == "after":
        return None
    return fault.error if fault.do == "error" else ""


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1000
